"""Home Assistant's `basic` schema of a light, the usual one: topics of their own for each field, with bare values.

Without its templates, which are programs: a light that needs one is refused.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from twin_bridge.lamps.bare_topics import BareTopics
from twin_bridge.lamps.ha_words import Part, either
from twin_bridge.lamps.protocol import BadPayload
from twin_bridge.protocol import Cap

_OF_AVAILABILITY = frozenset({"availability_template", "avty_tpl"})
_FIELDS = {"brightness": Cap.BRI, "color": Cap.RGB, "color_temp": Cap.CT}


class BasicConfig(Part):
    on: str = Field("ON", validation_alias=either("payload_on", "pl_on"))
    off: str = Field("OFF", validation_alias=either("payload_off", "pl_off"))
    order: Literal["last", "first"] = Field("last", validation_alias=either("on_command_type", "on_cmd_type"))
    state_state: str = Field("", validation_alias=either("state_topic", "stat_t"))
    state_command: str = Field("", validation_alias=either("command_topic", "cmd_t"))
    brightness_state: str = Field("", validation_alias=either("brightness_state_topic", "bri_stat_t"))
    brightness_command: str = Field("", validation_alias=either("brightness_command_topic", "bri_cmd_t"))
    color_state: str = Field("", validation_alias=either("rgb_state_topic", "rgb_stat_t"))
    color_command: str = Field("", validation_alias=either("rgb_command_topic", "rgb_cmd_t"))
    color_temp_state: str = Field("", validation_alias=either("color_temp_state_topic", "clr_temp_stat_t"))
    color_temp_command: str = Field("", validation_alias=either("color_temp_command_topic", "clr_temp_cmd_t"))

    @property
    def fields(self) -> list[str]:
        """Those that it both tells and is told: what it does not tell could never be acknowledged."""
        found = [field for field in _FIELDS if getattr(self, f"{field}_state") and getattr(self, f"{field}_command")]
        return ["state", *found]

    @property
    def caps(self) -> frozenset[Cap]:
        return frozenset({Cap.ON, *(_FIELDS[field] for field in self.fields if field in _FIELDS)})

    @property
    def topics(self) -> BareTopics:
        return BareTopics(
            states={getattr(self, f"{field}_state"): field for field in self.fields},
            commands={field: getattr(self, f"{field}_command") for field in self.fields},
            power_first=self.order == "first",
        )


def read_basic(place: str, values: Mapping[str, Any]) -> BasicConfig:
    """Raises `BadPayload`, also for a light that needs templates."""
    if any(name.endswith(("_template", "_tpl")) for name in values.keys() - _OF_AVAILABILITY):
        raise BadPayload(place[:64], "unknown_template")
    try:
        config = BasicConfig.model_validate(values)
    except ValidationError as error:
        raise BadPayload(place[:64], "bad_discovery") from error
    topics = config.topics
    if len(topics.states) < len(config.fields) or topics.states.keys() & set(topics.commands.values()):
        raise BadPayload(place[:64], "same_topic")
    return config
