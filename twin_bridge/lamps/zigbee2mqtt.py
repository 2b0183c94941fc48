"""Zigbee2MQTT: `<base>/bridge/devices` lists the lamps; `<base>/<friendly name>` is a state, `/set` a command, `/get` a
question.

The id is the Zigbee address, which stays when a lamp gets another name. A name may hold `/`. `<base>/bridge/state`
gates all lamps of that base. A device with several lights (`endpoint` l1, l2) is one lamp each. Wall plugs and relays
are lamps that switch. `<base>/bridge/groups` lists groups, which are lamps too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic_core import to_json

from twin_bridge.lamps import colour
from twin_bridge.lamps.availability import Availability, AvailabilityTopic, Rule
from twin_bridge.lamps.device_ids import device_id
from twin_bridge.lamps.json_lamps import JsonLamp, JsonLamps
from twin_bridge.lamps.json_light import ColourForm, JsonLight
from twin_bridge.lamps.payloads import Payload, plain_topic, read_json, shown_name
from twin_bridge.lamps.protocol import (
    GROUPS,
    INVENTORY,
    MAX_INVENTORY_BYTES,
    MAX_LAMPS,
    NOTHING,
    BadPayload,
    Change,
    Limits,
    Outgoing,
    Reading,
    combined,
)
from twin_bridge.lamps.zigbee_groups import BRIGHTNESS_SCALE, HUE_WORDS, Group, light_of, read_group
from twin_bridge.protocol import Cap

MAX_NETWORKS = 64
"""Bridges at one broker."""
_GET = 0b100
"""In `access`: the value can be asked for."""


class Zigbee2Mqtt:
    """All bridges with a base topic of one level, and those of `bases` (such as `lab/zigbee`)."""

    source = "z2m"
    quiet_seconds = 900.0
    announced_first = True

    def __init__(self, bases: Sequence[str] = ()) -> None:
        places = ("+", *(base for base in bases if "/" in base))
        self.subscriptions: Sequence[str] = [f"{place}{what}" for what in (INVENTORY, GROUPS) for place in places]
        self._lamps = JsonLamps()
        self._networks: dict[str, _Network] = {}

    @property
    def tells_all(self) -> bool:
        return any(network.listed for network in self._networks.values())

    def start(self) -> Reading:
        return NOTHING

    def read(self, topic: str, payload: bytes) -> Reading:
        if topic.endswith(INVENTORY):
            return self._inventory(topic.removesuffix(INVENTORY), payload)
        if topic.endswith(GROUPS):
            return self._grouping(topic.removesuffix(GROUPS), payload)
        return self._lamps.read(topic, payload)

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        return self._lamps.write(device_id, change)

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        return self._lamps.poll(device_id)

    def _inventory(self, base: str, payload: bytes) -> Reading:
        """Take in all lamps of a bridge; those that it no longer lists are gone."""
        entries, network = _entries(base, payload), self._network(base)
        found: list[Reading] = []
        lights: dict[str, list[JsonLight]] = {}
        ids: set[str] = set()
        for entry in entries:
            try:
                for lamp in _lamps_of(base, entry):
                    ids.add(lamp.device_id)
                    found.append(self._lamps.add(lamp))
                    lights.setdefault(entry.text("ieee_address") or "", []).append(lamp.light)
            except BadPayload as error:
                found.append(Reading(refusals=(error,)))
        gone, network.listed, network.lights = network.listed - ids, frozenset(ids), lights
        return combined([*(self._lamps.remove(each) for each in sorted(gone)), *found, self._regroup(base, network)])

    def _grouping(self, base: str, payload: bytes) -> Reading:
        """Take in all groups of a bridge, as far as it listed their members yet."""
        entries, network = _entries(base, payload), self._network(base)
        refusals: list[BadPayload] = []
        network.groups = []
        for entry in entries[:MAX_LAMPS]:
            try:
                network.groups += read_group(base, entry)
            except BadPayload as error:
                refusals.append(error)
        return combined([self._regroup(base, network), Reading(refusals=tuple(refusals))])

    def _regroup(self, base: str, network: "_Network") -> Reading:
        """The groups again, as they are what their members are."""
        found: list[Reading] = []
        ids: set[str] = set()
        for group in network.groups:
            light = light_of(group, network.lights)
            if light is None:
                continue
            ids.add(group.device_id)
            try:
                found.append(self._lamps.add(_lamp(group.topic, base, group.device_id, light, None)))
            except BadPayload as error:
                found.append(Reading(refusals=(error,)))
        gone, network.grouped = network.grouped - ids, frozenset(ids)
        return combined([*(self._lamps.remove(each) for each in sorted(gone)), *found])

    def _network(self, base: str) -> "_Network":
        """What is known of a bridge. Raises `BadPayload` if there are too many."""
        if base not in self._networks and len(self._networks) >= MAX_NETWORKS:
            raise BadPayload(base[:64], "too_many_devices")
        return self._networks.setdefault(base, _Network())


@dataclass
class _Network:
    """What one bridge listed last."""

    listed: frozenset[str] = frozenset()
    lights: dict[str, list[JsonLight]] = field(default_factory=dict)
    """By Zigbee address."""
    groups: list[Group] = field(default_factory=list)
    grouped: frozenset[str] = frozenset()


def _entries(base: str, payload: bytes) -> list[Payload]:
    listed = read_json(base[:64], payload, MAX_INVENTORY_BYTES) if payload else []
    if not isinstance(listed, list):
        raise BadPayload(base[:64], "bad_field")
    return [Payload(base[:64], entry if isinstance(entry, dict) else {}) for entry in listed]


def _lamps_of(base: str, device: Payload) -> list[JsonLamp]:
    """The lamps of one entry of the list. Raises `BadPayload` for an entry that cannot be right."""
    address, name = device.text("ieee_address"), device.text("friendly_name")
    exposes = device.inner("definition").objects("exposes")
    lights = [each for each in exposes if each.text("type") == "light"]
    places = [each.text("endpoint") for each in lights]
    lights += [each for each in exposes if _switches(each) and each.text("endpoint") not in places]
    if not address or not name or not lights or device.flag("disabled"):
        return []
    if name.startswith("bridge/"):
        raise BadPayload(address[:64], "bad_topic")
    topic = plain_topic(address, f"{base}/{name}")
    found = []
    for exposed in lights:
        light, question = _light(name, exposed), _question(topic, exposed.objects("features"))
        found.append(_lamp(topic, base, device_id(f"{address}{light.suffix}"), light, question))
    return found


def _switches(exposed: Payload) -> bool:
    """Whether it is a plug or a relay: the settings of thermostats and locks are `switch`es too, with other names."""
    places = {feature.text("property") for feature in exposed.objects("features")}
    return exposed.text("type") == "switch" and f"state{_suffix(exposed)}" in places


def _suffix(exposed: Payload) -> str:
    endpoint = exposed.text("endpoint")
    return f"_{endpoint}" if endpoint else ""


def _light(name: str, exposed: Payload) -> JsonLight:
    features = {feature.text("name"): feature for feature in exposed.objects("features")}
    return JsonLight(
        name=shown_name(f"{name} {exposed.text('endpoint') or ''}"),
        caps=_caps(set(features)),
        scale=BRIGHTNESS_SCALE,
        form=ColourForm.XY if "color_xy" in features else ColourForm.HS,
        hue_words=HUE_WORDS,
        words=_words(features.get("state")),
        suffix=_suffix(exposed),
        limits=_limits(features.get("color_temp")),
    )


def _lamp(topic: str, base: str, identity: str, light: JsonLight, question: Outgoing | None) -> JsonLamp:
    return JsonLamp(
        identity,
        light,
        state_topic=topic,
        command_topic=f"{topic}/set",
        availability=Availability(
            (AvailabilityTopic(f"{base}/bridge/state"), AvailabilityTopic(f"{topic}/availability")), Rule.ALL
        ),
        question=question,
    )


def _caps(names: set[str | None]) -> frozenset[Cap]:
    caps = {Cap.ON}
    caps |= {Cap.BRI} if "brightness" in names else set()
    caps |= {Cap.RGB} if names & {"color_xy", "color_hs"} else set()
    caps |= {Cap.CT} if "color_temp" in names else set()
    return frozenset(caps)  # effects are set off, never reported, so that no command for one could be acknowledged


def _words(state: Payload | None) -> tuple[str, str]:
    """Its own words for on and off."""
    on, off = (state.values.get(name) if state else None for name in ("value_on", "value_off"))
    return (on, off) if on and isinstance(on, str) and off and isinstance(off, str) else ("ON", "OFF")


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
