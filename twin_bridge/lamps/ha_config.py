"""Home Assistant's discovery message of a light, `<prefix>/light/[NODE/]OBJECT/config`, with its abbreviations.

The JSON schema, and `basic` without templates; the `template` schema is made of programs, and refused.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from twin_bridge.lamps import colour
from twin_bridge.lamps.availability import Availability, AvailabilityTopic, Rule
from twin_bridge.lamps.device_ids import device_id
from twin_bridge.lamps.ha_basic import BasicConfig, read_basic
from twin_bridge.lamps.ha_words import Part, Texts, either, listed
from twin_bridge.lamps.json_lamps import JsonLamp
from twin_bridge.lamps.json_light import ColourForm, JsonLight
from twin_bridge.lamps.payloads import MAX_EFFECT, plain_topic, shown_name
from twin_bridge.lamps.protocol import BadPayload, Limits
from twin_bridge.protocol import Cap

_ESPHOME_ID = re.compile(r"ESPlight.*|[0-9a-f]{12}-light-[0-9a-f]{8}")
"""Of its two ways to make a `unique_id` (`discovery_unique_id_generator`): legacy, mac."""
_ESPHOME_LEGACY = "ESPlight"
_OF_JSON = re.compile(r"\{\{\s*value_json(?:\.(\w+)|\[['\"](\w+)['\"]\])\s*\}\}")
"""The one template that is understood: a field of the JSON."""


class _Device(Part):
    name: str | None = None
    identifiers: Texts = Field([], validation_alias=either("identifiers", "ids"))
    software: str | None = Field(None, validation_alias=either("sw_version", "sw"))


class _Origin(Part):
    name: str = ""


class _Availability(Part):
    topic: str = Field(validation_alias=either("topic", "t"))
    template: str | None = Field(None, validation_alias=either("value_template", "val_tpl"))
    online: str = Field("online", validation_alias=either("payload_available", "pl_avail"))
    offline: str = Field("offline", validation_alias=either("payload_not_available", "pl_not_avail"))


class LightConfig(Part):
    """The part of the message that concerns us."""

    schema_name: str = Field("basic", validation_alias="schema")
    name: str | None = None
    unique_id: str = Field("", validation_alias=either("unique_id", "uniq_id"))
    state_topic: str = Field("", validation_alias=either("state_topic", "stat_t"))
    command_topic: str = Field(validation_alias=either("command_topic", "cmd_t"))
    brightness: bool = False
    brightness_scale: float = Field(255, gt=0, validation_alias=either("brightness_scale", "bri_scl"))
    supported: Texts = Field([], validation_alias=either("supported_color_modes", "sup_clrm"))
    rgb: bool = False
    hs: bool = False
    xy: bool = False
    color_temp: bool = False
    in_kelvin: bool = Field(False, validation_alias=either("color_temp_kelvin", "clr_temp_k"))
    min_mireds: float | None = Field(None, validation_alias=either("min_mireds", "min_mirs"))
    max_mireds: float | None = Field(None, validation_alias=either("max_mireds", "max_mirs"))
    min_kelvin: float | None = Field(None, validation_alias=either("min_kelvin", "min_k"))
    max_kelvin: float | None = Field(None, validation_alias=either("max_kelvin", "max_k"))
    effect: bool = False
    effect_list: Texts = Field([], validation_alias=either("effect_list", "fx_list"))
    availability: Annotated[list[_Availability], BeforeValidator(listed)] = Field(
        [], validation_alias=either("availability", "avty")
    )
    availability_mode: Literal["all", "any", "latest"] = Field(
        "latest", validation_alias=either("availability_mode", "avty_mode")
    )
    availability_topic: str = Field("", validation_alias=either("availability_topic", "avty_t"))
    availability_template: str | None = Field(None, validation_alias=either("availability_template", "avty_tpl"))
    payload_available: str = Field("online", validation_alias=either("payload_available", "pl_avail"))
    payload_not_available: str = Field("offline", validation_alias=either("payload_not_available", "pl_not_avail"))
    basic: BasicConfig | None = None
    """What only its schema has, if that is `basic`; no part of the message under this name."""
    device: _Device = Field(default_factory=_Device, validation_alias=either("device", "dev"))
    origin: _Origin = Field(default_factory=_Origin, validation_alias=either("origin", "o"))

    @property
    def modes(self) -> frozenset[str]:
        """Colour modes; a message from before there were any has a flag for each."""
        flags = {"rgb": self.rgb, "hs": self.hs, "xy": self.xy, "color_temp": self.color_temp}
        return frozenset(self.supported or [mode for mode, there in flags.items() if there])

    @property
    def from_zigbee2mqtt(self) -> bool:
        """Zigbee2MQTT announces its lamps here too; older versions without an origin."""
        ours = any(each.startswith("zigbee2mqtt_") for each in self.device.identifiers)
        return ours or self.origin.name.lower() == "zigbee2mqtt"

    @property
    def from_esphome(self) -> bool:
        return "esphome" in (self.device.software or "").lower() or _ESPHOME_ID.fullmatch(self.unique_id) is not None

    def identity(self, place: str) -> str:
        """The device id of the lamp that was announced at `place`.

        The usual `unique_id` of ESPHome has only the name of the light in it, the same for all nodes of one kind, so
        that the device, or else the place, always belongs to it: not only once a second one comes.
        """
        if self.unique_id.startswith(_ESPHOME_LEGACY):
            return device_id(f"{self.unique_id}-{(*self.device.identifiers, place)[0]}")
        return device_id(self.unique_id or place)


def read_config(place: str, values: dict[str, Any]) -> LightConfig:
    """What is announced at `place`. Raises `BadPayload`, also for a schema that is not ours."""
    base = values.get("~")
    if isinstance(base, str):
        values = _expanded(values, base)
    try:
        basic = read_basic(place, values) if values.get("schema", "basic") == "basic" else None
        config = LightConfig.model_validate(values | {"basic": basic})
    except ValidationError as error:
        raise BadPayload(place[:64], "bad_discovery") from error
    if config.schema_name not in {"json", "basic"} or not config.state_topic:
        raise BadPayload(place[:64], "unknown_schema")
    return config


def lamp_of(place: str, config: LightConfig) -> JsonLamp:
    """The lamp that a message announces. Raises `BadPayload` for topics that cannot be any."""
    identity = config.identity(place)
    topics = [
        AvailabilityTopic(each.topic, each.online, each.offline, _key(each.template)) for each in config.availability
    ]
    if config.availability_topic:
        topics.append(
            AvailabilityTopic(
                config.availability_topic,
                config.payload_available,
                config.payload_not_available,
                _key(config.availability_template),
            )
        )
    if config.command_topic == config.state_topic:
        raise BadPayload(identity, "same_topic")  # our own command would count as the lamp's answer
    bare = config.basic.topics if config.basic else None
    own = (*bare.states, *bare.commands.values()) if bare else (config.state_topic, config.command_topic)
    for topic in (*own, *(each.topic for each in topics)):
        plain_topic(identity, topic)
    light = JsonLight(
        name=shown_name(config.name or config.device.name or place),
        caps=_caps(config),
        scale=config.brightness_scale,
        in_kelvin=config.in_kelvin,
        form=next((form for form in ColourForm if form.value in config.modes), ColourForm.RGB),
        whole_seconds=config.from_esphome,  # its parser passes over a transition with a fraction
        words=(config.basic.on, config.basic.off) if config.basic else ("ON", "OFF"),
        limits=_limits(config),
    )
    availability = Availability(tuple(topics), Rule(config.availability_mode))
    return JsonLamp(identity, light, config.state_topic, config.command_topic, availability, bare=bare)


def _key(template: str | None) -> str:
    """The field of the JSON that a template takes; `state`, as usual, for any other template."""
    found = _OF_JSON.fullmatch((template or "").strip())
    return next(filter(None, found.groups())) if found else "state"


def _expanded(value: Any, base: str) -> Any:
    """`~` at the start or the end of a text stands for the base topic."""
    if isinstance(value, dict):
        return {key: _expanded(inner, base) for key, inner in value.items() if key != "~"}
    if isinstance(value, list):
        return [_expanded(inner, base) for inner in value]
    if isinstance(value, str) and value.startswith("~"):
        return base + value[1:]
    if isinstance(value, str) and value.endswith("~"):
        return value[:-1] + base
    return value


def _caps(config: LightConfig) -> frozenset[Cap]:
    if config.basic:
        return config.basic.caps
    modes = config.modes
    caps = {Cap.ON}
    caps |= {Cap.BRI} if config.brightness or modes - {"onoff"} else set()
    caps |= {Cap.RGB} if modes & {form.value for form in ColourForm} else set()
    caps |= {Cap.CT} if "color_temp" in modes else set()
    caps |= {Cap.EFFECT} if config.effect and config.effect_list else set()
    return frozenset(caps)


def _limits(config: LightConfig) -> Limits:
    lowest = config.min_kelvin or (colour.from_mired(config.max_mireds) if config.max_mireds else 0)
    highest = config.max_kelvin or (colour.from_mired(config.min_mireds) if config.min_mireds else 0)
    effects = tuple(effect for effect in config.effect_list if len(effect) <= MAX_EFFECT)
    if lowest <= 0 or highest < lowest:
        return Limits(effects=effects)
    return Limits(kelvin=(colour.kelvin(lowest), colour.kelvin(highest)), effects=effects)
