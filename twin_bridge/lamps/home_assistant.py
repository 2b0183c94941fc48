"""Lamps that announce themselves to Home Assistant, on `homeassistant/light/[NODE/]OBJECT/config`: ESPHome and others.

The id is their `unique_id`. Zigbee2MQTT announces its lamps here as well as in its own list, which says more; with
`skip_zigbee2mqtt` they are left to the list, so that none appears twice. So are the lamps of the lamps file.
"""

from collections.abc import Collection, Sequence

from twin_bridge.lamps.ha_config import LightConfig, lamp_of, read_config
from twin_bridge.lamps.json_lamps import JsonLamps
from twin_bridge.lamps.protocol import NOTHING, BadPayload, Change, Outgoing, Reading, combined

PREFIX = "homeassistant/light/"
_SUFFIX = "/config"


class HomeAssistantLights:
    source = "ha"
    quiet_seconds = 900.0
    announced_first = True
    subscriptions: Sequence[str] = (f"{PREFIX}+{_SUFFIX}", f"{PREFIX}+/+{_SUFFIX}")

    def __init__(self, *, skip_zigbee2mqtt: bool = False, skip_topics: Collection[str] = ()) -> None:
        """`skip_topics` are the state topics of lamps that are known otherwise."""
        self._lamps = JsonLamps()
        self._announced: dict[str, str] = {}
        self._skip_zigbee2mqtt = skip_zigbee2mqtt
        self._skip_topics = frozenset(skip_topics)

    def start(self) -> Reading:
        return NOTHING

    def read(self, topic: str, payload: bytes) -> Reading:
        if topic.startswith(PREFIX) and topic.endswith(_SUFFIX):
            return self._announcement(topic.removeprefix(PREFIX).removesuffix(_SUFFIX), payload)
        return self._lamps.read(topic, payload)

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        return self._lamps.write(device_id, change)

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        return ()  # there is no question that they all understand

    def _announcement(self, place: str, payload: bytes) -> Reading:
        former = self._announced.get(place)
        if not payload:
            self._announced.pop(place, None)
            return self._lamps.remove(former) if former else NOTHING
        config = read_config(place, payload)
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
