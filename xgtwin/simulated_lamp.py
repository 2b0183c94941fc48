"""A lamp that is not there: it obeys `set` and reports, as the native family of twin_bridge expects of a real one.

It shares no code with the bridge, so that the two prove the wire between them.
"""

import json
import secrets
import threading
from types import TracebackType
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from shared.errors import Unavailable
from shared.observability.logs import get_logger

log = get_logger(__name__)

START_SECONDS = 10.0
FIRST_STATE: dict[str, Any] = {
    "on": False, "bri": 0.5, "mode": "rgb", "r": 255, "g": 180, "b": 120, "ct": 2700, "effect": "",
}  # fmt: skip
CAPS = ("on", "bri", "rgb", "ct")


class SimulatedLamp:
    """Plays one lamp between `with` and its end. Transitions are applied at once.

    Raises `Unavailable` when the broker does not answer.
    """

    def __init__(self, device_id: str, *, port: int, host: str = "127.0.0.1", name: str = "Simulated lamp") -> None:
        self._base = f"twin/v1/{device_id}"
        self._name = name
        self._address = host, port
        self._state = dict(FIRST_STATE)
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"{device_id}-{secrets.token_hex(4)}")
        self._client.will_set(f"{self._base}/availability", "offline", qos=1, retain=True)
        self._client.on_connect = self._on_connect
        # Only its own topic: the demo broker also sends retained messages that nobody subscribed to.
        self._client.message_callback_add(f"{self._base}/set", self._on_set)

    def __enter__(self) -> "SimulatedLamp":
        self._client.connect_async(*self._address, keepalive=15)
        self._client.loop_start()
        if not self._ready.wait(START_SECONDS):
            self._client.loop_stop()
            raise Unavailable("The simulated lamp finds no MQTT broker. Set TWIN__DEMO_LAMP=false to do without it.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.publish(f"{self._base}/availability", "offline", qos=1, retain=True).wait_for_publish(1)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, _data: object, _flags: object, code: Any, _props: object) -> None:
        if code.is_failure:
            log.warning("simulated_lamp_refused", reason=str(code))
            return
        client.subscribe(f"{self._base}/set", qos=1)
        client.publish(f"{self._base}/availability", "online", qos=1, retain=True)
        self._report()
        self._ready.set()

    def _on_set(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            wish = dict(json.loads(message.payload))
        except (ValueError, TypeError):
            log.warning("simulated_lamp_does_not_understand", topic=message.topic)
            return
        self._state |= {key: wish[key] for key in FIRST_STATE.keys() & wish.keys()}
        if "r" in wish:
            self._state["mode"] = "rgb"
        elif "ct" in wish:
            self._state["mode"] = "ct"
        self._report()

    def _report(self) -> None:
        payload = json.dumps({**self._state, "name": self._name, "caps": CAPS})
        self._client.publish(f"{self._base}/state", payload, qos=1, retain=True)
