"""Zigbee2MQTT: `<base>/bridge/devices` lists the lamps; `<base>/<friendly name>` is a state, `/set` a command, `/get` a
question.

The id is the Zigbee address, which stays when a lamp gets another name. A name may hold `/`. `<base>/bridge/state`
gates all lamps of that base. A device with several lights (`endpoint` l1, l2) is one lamp each. Wall plugs and relays
are `switch`es there, not lights, and are left out.
"""

from collections.abc import Sequence

from pydantic_core import to_json

from twin_bridge.lamps import colour
from twin_bridge.lamps.availability import Availability, AvailabilityTopic, Rule
from twin_bridge.lamps.device_ids import device_id
from twin_bridge.lamps.json_lamps import JsonLamp, JsonLamps
from twin_bridge.lamps.json_light import ColourForm, JsonLight
from twin_bridge.lamps.payloads import Payload, plain_topic, read_json, shown_name
from twin_bridge.lamps.protocol import (
    INVENTORY,
    MAX_INVENTORY_BYTES,
    NOTHING,
    BadPayload,
    Change,
    Limits,
    Outgoing,
    Reading,
    combined,
)
from twin_bridge.protocol import Cap

BRIGHTNESS_SCALE = 254.0
"""Zigbee's 8-bit level; 255 means invalid there."""
_GET = 0b100
"""In `access`: the value can be asked for."""


class Zigbee2Mqtt:
    """All bridges with a base topic of one level, and those of `bases` (such as `lab/zigbee`)."""

    source = "z2m"
    quiet_seconds = 900.0
    announced_first = True

    def __init__(self, bases: Sequence[str] = ()) -> None:
        self.subscriptions: Sequence[str] = (f"+{INVENTORY}", *(f"{base}{INVENTORY}" for base in bases if "/" in base))
        self._lamps = JsonLamps()
        self._listed: dict[str, frozenset[str]] = {}

    def start(self) -> Reading:
        return NOTHING

    def read(self, topic: str, payload: bytes) -> Reading:
        if topic.endswith(INVENTORY):
            return self._inventory(topic.removesuffix(INVENTORY), payload)
        return self._lamps.read(topic, payload)

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        return self._lamps.write(device_id, change)

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        return self._lamps.poll(device_id)

    def _inventory(self, base: str, payload: bytes) -> Reading:
        """Take in all lamps of a bridge; those that it no longer lists are gone."""
        listed = read_json(base, payload, MAX_INVENTORY_BYTES) if payload else []
        if not isinstance(listed, list):
            raise BadPayload(base, "bad_field")
        found: list[Reading] = []
        ids: set[str] = set()
        for entry in listed:
            try:
                for lamp in _lamps_of(base, Payload(base, entry if isinstance(entry, dict) else {})):
                    ids.add(lamp.device_id)
                    found.append(self._lamps.add(lamp))
            except BadPayload as error:
                found.append(Reading(refusals=(error,)))
        gone = self._listed.get(base, frozenset()) - ids
        self._listed[base] = frozenset(ids)
        return combined([*(self._lamps.remove(each) for each in sorted(gone)), *found])


def _lamps_of(base: str, device: Payload) -> list[JsonLamp]:
    """The lamps of one entry of the list. Raises `BadPayload` for an entry that cannot be right."""
    address, name = device.text("ieee_address"), device.text("friendly_name")
    lights = [each for each in device.inner("definition").objects("exposes") if each.text("type") == "light"]
    if not address or not name or not lights or device.flag("disabled"):
        return []
    if name.startswith("bridge/"):
        raise BadPayload(address[:64], "bad_topic")
    return [_lamp(plain_topic(address, f"{base}/{name}"), base, address, name, light) for light in lights]


def _lamp(topic: str, base: str, address: str, name: str, exposed: Payload) -> JsonLamp:
    endpoint = exposed.text("endpoint") or ""
    suffix = f"_{endpoint}" if endpoint else ""
    features = {feature.text("name"): feature for feature in exposed.objects("features")}
    light = JsonLight(
        name=shown_name(f"{name} {endpoint}"),
        caps=_caps(set(features)),
        scale=BRIGHTNESS_SCALE,
        form=ColourForm.XY if "color_xy" in features else ColourForm.HS,
        hue_words=("hue", "saturation"),
        suffix=suffix,
        limits=_limits(features.get("color_temp")),
    )
    return JsonLamp(
        device_id(f"{address}{suffix}"),
        light,
        state_topic=topic,
        command_topic=f"{topic}/set",
        availability=Availability(
            (AvailabilityTopic(f"{base}/bridge/state"), AvailabilityTopic(f"{topic}/availability")), Rule.ALL
        ),
        question=_question(topic, list(features.values())),
    )


def _caps(names: set[str | None]) -> frozenset[Cap]:
    caps = {Cap.ON}
    caps |= {Cap.BRI} if "brightness" in names else set()
    caps |= {Cap.RGB} if names & {"color_xy", "color_hs"} else set()
    caps |= {Cap.CT} if "color_temp" in names else set()
    return frozenset(caps)  # effects are set off, never reported, so that no command for one could be acknowledged


def _limits(color_temp: Payload | None) -> Limits:
    coldest = color_temp.number("value_min") if color_temp else None
    warmest = color_temp.number("value_max") if color_temp else None
    if not coldest or not warmest:
        return Limits()
    return Limits(kelvin=(colour.from_mired(warmest), colour.from_mired(coldest)))


def _question(topic: str, features: Sequence[Payload]) -> Outgoing | None:
    askable = [each for each in features if int(each.number("access") or 0) & _GET]
    properties = {str(each.text("property") or each.text("name")): "" for each in askable}
    return Outgoing(f"{topic}/get", to_json(properties)) if properties else None
