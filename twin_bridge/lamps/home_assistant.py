"""Lamps that announce themselves to Home Assistant: ESPHome and others.

Each on `homeassistant/light/[NODE/]OBJECT/config`, or all of a device on `homeassistant/device/[NODE/]OBJECT/config`.

The id is their `unique_id`. Zigbee2MQTT announces its lamps here as well as in its own list, which says more; with
`skip_zigbee2mqtt` they are left to the list, so that none appears twice. So are the lamps of the lamps file.
"""

from collections.abc import Collection, Sequence

from twin_bridge.lamps.ha_config import LightConfig, lamp_of, read_config
from twin_bridge.lamps.ha_device import lights_of
from twin_bridge.lamps.json_lamps import JsonLamps
from twin_bridge.lamps.payloads import read_object
from twin_bridge.lamps.protocol import NOTHING, BadPayload, Change, Outgoing, Reading, combined

_SUFFIX = "/config"


class HomeAssistantLights:
    source = "ha"
    quiet_seconds = 900.0
    announced_first = True
    tells_all = False

    def __init__(
        self, prefix: str = "homeassistant", *, skip_zigbee2mqtt: bool = False, skip_topics: Collection[str] = ()
    ) -> None:
        """`skip_topics` are the state topics of lamps that are known otherwise."""
        self._of_light, self._of_device = f"{prefix}/light/", f"{prefix}/device/"
        kinds = (self._of_light, self._of_device)
        self.subscriptions: Sequence[str] = [f"{kind}{where}{_SUFFIX}" for kind in kinds for where in ("+", "+/+")]
        self._lamps = JsonLamps()
        self._announced: dict[str, str] = {}
        self._of_devices: dict[str, frozenset[str]] = {}
        self._skip_zigbee2mqtt = skip_zigbee2mqtt
        self._skip_topics = frozenset(skip_topics)

    def start(self) -> Reading:
        return NOTHING

    def read(self, topic: str, payload: bytes) -> Reading:
        if topic.endswith(_SUFFIX):
            if topic.startswith(self._of_light):
                return self._light(topic.removeprefix(self._of_light).removesuffix(_SUFFIX), payload)
            if topic.startswith(self._of_device):
                return self._device(topic.removeprefix(self._of_device).removesuffix(_SUFFIX), payload)
        return self._lamps.read(topic, payload)

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        return self._lamps.write(device_id, change)

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        return ()  # there is no question that they all understand

    def _light(self, place: str, payload: bytes) -> Reading:
        values = read_object(place[:64], payload).values if payload else {}
        if not payload or values.get("migrate_discovery") is True:  # its device will announce it from now on
            return self._withdraw(place)
        return self._announce(place, read_config(place, values))

    def _device(self, device: str, payload: bytes) -> Reading:
        """Take in all lights of a device; those that it no longer lists are gone."""
        lights = lights_of(device, payload) if payload else {}
        listed = {f"device/{device}/{key}": values for key, values in lights.items()}
        gone = self._of_devices.pop(device, frozenset()) - listed.keys()
        readings = [self._withdraw(place) for place in sorted(gone)]
        for place, values in listed.items():
            try:
                readings.append(self._announce(place, read_config(place, values)))
            except BadPayload as error:
                readings.append(Reading(refusals=(error,)))
        if here := frozenset(place for place in listed if place in self._announced):
            self._of_devices[device] = here
        return combined(readings)

    def _withdraw(self, place: str) -> Reading:
        former = self._announced.pop(place, None)
        return self._lamps.remove(former) if former else NOTHING

    def _announce(self, place: str, config: LightConfig) -> Reading:
        former = self._announced.get(place)
        if self._skips(config):
            return NOTHING
        lamp = lamp_of(place, config)
        if former is None and lamp.device_id in self._lamps:
            raise BadPayload(lamp.device_id, "id_taken")
        added = self._lamps.add(lamp)
        self._announced[place] = lamp.device_id
        if former is None or former == lamp.device_id:
            return added
        return combined([self._lamps.remove(former), added])

    def _skips(self, config: LightConfig) -> bool:
        return config.state_topic in self._skip_topics or (self._skip_zigbee2mqtt and config.from_zigbee2mqtt)
