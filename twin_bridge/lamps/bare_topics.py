"""Lamps with a topic for each field, and a bare value on it: `ON`, `120`, `255,180,120`, `370`.

What is said there is put into the words of json_light.py, and what is to be commanded comes in them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twin_bridge.lamps.payloads import Payload, read_json, read_word
from twin_bridge.lamps.protocol import BadPayload, Outgoing

_RGB = re.compile(r"(\d{1,3}),(\d{1,3}),(\d{1,3})")


@dataclass(frozen=True)
class BareTopics:
    states: Mapping[str, str]
    """By topic, the field whose value is said there: `state`, `brightness`, `color` or `color_temp`."""
    commands: Mapping[str, str]
    """By field, the topic that its value is told on."""
    power_first: bool = False
    """It wants to be on before it is told anything else."""

    def read(self, device_id: str, topic: str, payload: bytes) -> Payload:
        """The message as one JSON object would have it. Raises `BadPayload`."""
        field = self.states[topic]
        if field == "state":
            return Payload(device_id, {"state": read_word(device_id, payload)})
        if field != "color":
            mode = {"color_mode": field} if field == "color_temp" else {}
            return Payload(device_id, {field: read_json(device_id, payload), **mode})
        channels = _RGB.fullmatch(read_word(device_id, payload))
        if channels is None:
            raise BadPayload(device_id, "bad_field")
        colour = dict(zip("rgb", (int(channel) for channel in channels.groups()), strict=True))
        return Payload(device_id, {"color_mode": "rgb", "color": colour})

    def write(self, values: Mapping[str, Any]) -> Iterator[Outgoing]:
        """The command in as many messages, in their order."""
        fields = [field for field in self.commands if field in values]
        for field in sorted(fields, key=lambda field: (field == "state") != self.power_first):
            value = values[field]
            text = ",".join(str(value[channel]) for channel in "rgb") if field == "color" else str(value)
            yield Outgoing(self.commands[field], text.encode())
