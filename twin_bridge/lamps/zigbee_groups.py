"""Groups of Zigbee2MQTT, `<base>/bridge/groups`: lamps that can do what any of their members can.

They cannot be asked how they are; Zigbee2MQTT tells their state when they or their members are commanded or change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twin_bridge.lamps.device_ids import device_id
from twin_bridge.lamps.json_light import ColourForm, JsonLight
from twin_bridge.lamps.payloads import Payload, plain_topic, shown_name
from twin_bridge.lamps.protocol import BadPayload, Limits
from twin_bridge.protocol import Cap

BRIGHTNESS_SCALE = 254.0
"""Zigbee's 8-bit level; 255 means invalid there."""
HUE_WORDS = ("hue", "saturation")
_OF_REMOTES = "default_bind_group"
"""Zigbee2MQTT's own, for remote controls that are bound to nothing else."""


@dataclass(frozen=True)
class Group:
    device_id: str
    name: str
    topic: str
    members: tuple[str, ...]
    """Zigbee addresses."""


def read_group(base: str, entry: Payload) -> list[Group]:
    """The group that an entry of the list describes, unless it is empty. Raises `BadPayload`."""
    number, name = entry.number("id"), entry.text("friendly_name")
    addresses = [member.text("ieee_address") for member in entry.objects("members")]
    members = tuple(address for address in addresses if address)
    if number is None or not name or not members or name == _OF_REMOTES:
        return []
    identity = device_id(f"{base}-group-{int(number)}")
    if name.startswith("bridge/"):
        raise BadPayload(identity, "bad_topic")
    return [Group(identity, name, plain_topic(identity, f"{base}/{name}"), members)]


def light_of(group: Group, lights: Mapping[str, Sequence[JsonLight]]) -> JsonLight | None:
    """What a group can do, by the lights of each Zigbee address; None if no member is a lamp."""
    members = [light for address in group.members for light in lights.get(address, ())]
    if not members:
        return None
    caps = {cap for light in members for cap in light.caps or ()}
    forms = {light.form for light in members if light.caps and Cap.RGB in light.caps}
    ranges = [light.limits.kelvin for light in members if light.caps and Cap.CT in light.caps]
    lowest, highest = max((low for low, _ in ranges), default=0), min((high for _, high in ranges), default=0)
    return JsonLight(
        name=shown_name(group.name),
        caps=frozenset(caps),
        scale=BRIGHTNESS_SCALE,
        form=ColourForm.HS if forms == {ColourForm.HS} else ColourForm.XY,
        hue_words=HUE_WORDS,
        limits=Limits(kelvin=(lowest, highest)) if 0 < lowest <= highest else Limits(),
    )
