"""The lamps file (TWIN__LAMPS_FILE): lamps that announce themselves to nobody. The only module that knows YAML.

Every value is read as text and then as what its field wants, so that an unquoted ON stays the word ON.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import Unavailable
from twin_bridge.lamps.device_ids import is_device_id
from twin_bridge.lamps.json_light import ColourForm
from twin_bridge.protocol import Cap


def _safe(text: str) -> str:
    if not is_device_id(text):
        raise ValueError("an id is 1 to 64 letters, digits, _ . - and begins with a letter or digit")
    return text


Id = Annotated[str, AfterValidator(_safe)]
Topic = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^+#\x00]+$")]
Name = Annotated[str, Field(max_length=64)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _TopicsEntry(_Entry):
    """A lamp that is known by its topics alone."""

    id: Id
    name: Name = ""
    state_topic: Topic
    command_topic: Topic

    @model_validator(mode="after")
    def _topics_are_different(self) -> Self:
        if self.command_topic == self.state_topic:
            raise ValueError("command_topic is the state_topic: our own command would count as the lamp's answer")
        return self


class PlainEntry(_TopicsEntry):
    """One word on a topic: ON, OFF, 1, 0, true, false, or words of your own."""

    family: Literal["plain"]
    payload_on: str = "ON"
    payload_off: str = "OFF"
    brightness_max: float | None = Field(None, gt=0)
    """A bare number is a brightness up to this; without it numbers but 1 and 0 are refused."""
    availability_topic: Topic | None = None
    payload_available: str = "online"
    payload_not_available: str = "offline"
    ask_topic: Topic | None = None
    """An empty message there is answered with the state."""


class JsonEntry(_TopicsEntry):
    """A light that speaks the JSON of Home Assistant on topics of its own."""

    family: Literal["json"]
    caps: list[Cap] | None = None
    brightness_scale: float = Field(255, gt=0)
    color_temp_kelvin: bool = False
    colour: ColourForm = ColourForm.RGB
    availability_topic: Topic | None = None
    payload_available: str = "online"
    payload_not_available: str = "offline"


class EsphomeEntry(_Entry):
    """A light of an ESPHome node with discovery switched off: `<prefix>/light/<light>/state`."""

    family: Literal["esphome"]
    prefix: Topic
    light: Topic
    id: Id | None = None
    name: Name = ""
    caps: list[Cap] | None = None
    colour: ColourForm = ColourForm.RGB


class TasmotaEntry(_Entry):
    """One relay or light of a Tasmota device with discovery switched off, or with topics of its own."""

    family: Literal["tasmota"]
    topic: Topic
    full_topic: Topic = "%prefix%/%topic%/"
    relay: int | None = Field(None, ge=1, le=32)
    """n of POWER<n>, for a device with several."""
    id: Id | None = None
    name: Name = ""
    caps: list[Cap] | None = None


class ShellyEntry(_Entry):
    """A Shelly whose topic prefix is not its own name; its lamps are found by asking it."""

    family: Literal["shelly"]
    prefix: Topic
    name: Name = ""


Entry = Annotated[PlainEntry | JsonEntry | EsphomeEntry | TasmotaEntry | ShellyEntry, Field(discriminator="family")]


class LampsFile(_Entry):
    z2m_bases: list[Topic] = []
    """Base topics of Zigbee2MQTT with several levels; those of one level are found."""
    ignore: list[str] = []
    """Ids of devices that are not to be shown, such as the relay of a kettle."""
    lamps: list[Entry] = []

    @model_validator(mode="after")
    def _lamps_are_different(self) -> Self:
        relays = [(entry.topic, entry.relay or 1) for entry in self.lamps if isinstance(entry, TasmotaEntry)]
        if again := sorted({each for each in relays if relays.count(each) > 1}):
            topic, relay = again[0]
            raise ValueError(f"several lamps are relay {relay} of the Tasmota {topic}; give each its own `relay`")
        ids = [entry.id for entry in self.lamps if not isinstance(entry, ShellyEntry) and entry.id]
        if twice := sorted({each for each in ids if ids.count(each) > 1}):
            raise ValueError(f"several lamps have the id {', '.join(twice)}")
        return self


def read_lamps_file(path: Path | None) -> LampsFile:
    """The file at `path`, or an empty one. Raises `Unavailable` with the line and the field that are wrong."""
    if path is None:
        return LampsFile()
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"The lamps file {path.name} (TWIN__LAMPS_FILE) cannot be read: {error}.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Unavailable(f"{path.name} line {line} (TWIN__LAMPS_FILE) is not YAML: {error.problem}.") from error
    if root is None:
        return LampsFile()
    try:
        return LampsFile.model_validate(_value(path, root))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        line, field = _place(root, first["loc"])
        raise Unavailable(f"{path.name} line {line} (TWIN__LAMPS_FILE), {field}: {first['msg']}.") from error


def _value(path: Path, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_value(path, each) for each in node.value]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    values: dict[str, Any] = {}
    for key, value in node.value:
        if key.value in values:
            line = key.start_mark.line + 1
            raise Unavailable(f"{path.name} line {line} (TWIN__LAMPS_FILE): {key.value} stands there twice.")
        values[str(key.value)] = _value(path, value)
    return values


def _place(root: yaml.Node, location: tuple[int | str, ...]) -> tuple[int, str]:
    """The line of a mistake, and its field in words; the tag of a union in `location` is no place in the file."""
    node, words = root, []
    for part in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            words.append(f"entry {part + 1}")
        elif isinstance(node, yaml.MappingNode):
            inner = {key.value: value for key, value in node.value}
            if part in inner:
                node = inner[part]
                words.append(str(part))
            elif part == location[-1]:
                words.append(str(part))
    return node.start_mark.line + 1, " ".join(words) or "the file"
