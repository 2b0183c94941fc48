"""`xgtwin lamp simulate`: lamps of a make, for a demo or to see how the bridge deals with them."""

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

from shared.settings import Settings
from xgtwin.simulated.esphome import EsphomeNode
from xgtwin.simulated.home_assistant import HomeAssistantLight
from xgtwin.simulated.native import NativeLamp
from xgtwin.simulated.plain import PlainLamp
from xgtwin.simulated.shelly import ShellyDevice
from xgtwin.simulated.tasmota import TasmotaBulb
from xgtwin.simulated.wire import Wire
from xgtwin.simulated.z2m import Zigbee2MqttNetwork

LOCAL_BROKER = "mqtt://127.0.0.1:1883"


_DEVICES: dict[str, Callable[[str, int], Wire]] = {
    "native": lambda url, number: NativeLamp(url, f"sim_{number}", f"Lâmpada {number}").wire,
    "ha": lambda url, number: HomeAssistantLight(url, number).wire,
    "esphome": lambda url, number: EsphomeNode(url, number).wire,
    "tasmota": lambda url, number: TasmotaBulb(url, number).wire,
    "shelly": lambda url, number: ShellyDevice(url, number).wire,
    "plain": lambda url, number: PlainLamp(url, number).wire,
}
"""By kind. Each has a connection of its own, as in reality; Zigbee lamps (`z2m`) share that of their gateway."""


def simulate(settings: Settings, kind: str, count: int, mqtt_url: str) -> None:
    """Play lamps of a kind until Ctrl+C. Raises `Unavailable` without a broker."""
    url = mqtt_url or settings.twin.mqtt_url or LOCAL_BROKER
    numbers = range(1, count + 1)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        if kind == "z2m":
            stack.enter_context(Zigbee2MqttNetwork(url, count).wire)
        else:
            for number in numbers:
                stack.enter_context(_DEVICES[kind](url, number))
        print(f"{count} simulated {kind} lamp{'s' if count > 1 else ''}. Ctrl+C ends.", flush=True)
        if kind == "plain":
            print("They announce themselves to nobody. For the lamps file (TWIN__LAMPS_FILE):\n\nlamps:")
            print("".join(PlainLamp(url, number).entry for number in numbers), flush=True)
        threading.Event().wait()
