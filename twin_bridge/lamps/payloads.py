"""Reading what others wrote: JSON that may be anything, numbers that may not be numbers."""

import math
from typing import Any

from pydantic_core import from_json

from twin_bridge.lamps.protocol import MAX_PAYLOAD_BYTES, BadPayload

MAX_NAME = 64
MAX_EFFECT = 32
MAX_TOPIC = 512
"""MQTT allows 65,535 bytes; nobody types so much."""


class Payload:
    """A JSON object of one device; its values are taken out with their type, and refused if they have another.

    Raises `BadPayload`. None and what is missing both mean that it is not said.
    """

    def __init__(self, device_id: str, values: dict[str, Any]) -> None:
        self.device_id = device_id
        self.values = values

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def number(self, key: str) -> float | None:
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadPayload(self.device_id, "bad_field")
        if abs(value) > 1e15 or math.isnan(value):  # in this order: an int of a thousand digits is no float
            raise BadPayload(self.device_id, "not_finite")
        return float(value)

    def fraction(self, key: str, scale: float) -> float | None:
        """A number of 0..scale as 0..1, clamped."""
        value = self.number(key)
        return None if value is None else fraction(value, scale)

    def text(self, key: str) -> str | None:
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise BadPayload(self.device_id, "bad_field")
        return value

    def flag(self, key: str) -> bool | None:
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise BadPayload(self.device_id, "bad_field")
        return value

    def inner(self, key: str) -> "Payload":
        """An object inside this one, empty if there is none."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            raise BadPayload(self.device_id, "bad_field")
        return Payload(self.device_id, value or {})

    def items(self, key: str) -> list[Any]:
        value = self.values.get(key)
        if value is not None and not isinstance(value, list):
            raise BadPayload(self.device_id, "bad_field")
        return value or []

    def objects(self, key: str) -> "list[Payload]":
        """The objects of a list; what else is in it is passed over."""
        return [Payload(self.device_id, value) for value in self.items(key) if isinstance(value, dict)]

    def effect(self) -> str | None:
        """`effect`, with an empty text for the many words that mean none."""
        effect = self.text("effect")
        if effect is not None and len(effect) > MAX_EFFECT:
            raise BadPayload(self.device_id, "bad_field")
        return "" if effect is not None and effect.lower() == "none" else effect


def read_json(device_id: str, payload: bytes, limit: int = MAX_PAYLOAD_BYTES) -> Any:
    """Any JSON. Raises `BadPayload` for what is none, is over `limit` bytes, or is nested over 200 levels."""
    if len(payload) > limit:
        raise BadPayload(device_id, "too_large")
    try:
        return from_json(payload, allow_inf_nan=False)
    except ValueError as error:
        raise BadPayload(device_id, "bad_json") from error


def read_object(device_id: str, payload: bytes, limit: int = MAX_PAYLOAD_BYTES) -> Payload:
    """A JSON object. Raises `BadPayload`."""
    values = read_json(device_id, payload, limit)
    if not isinstance(values, dict):
        raise BadPayload(device_id, "bad_field")
    return Payload(device_id, values)


def read_word(device_id: str, payload: bytes) -> str:
    """A short plain text, such as `online`. Raises `BadPayload`."""
    if len(payload) > MAX_NAME:
        raise BadPayload(device_id, "too_large")
    try:
        return payload.decode().strip()
    except UnicodeDecodeError as error:
        raise BadPayload(device_id, "bad_field") from error


def plain_topic(device_id: str, topic: str) -> str:
    """A topic that a lamp may have. Raises `BadPayload` for what is none, a pattern, or the broker's own (`$`)."""
    if (
        topic.startswith("$")
        or not 0 < len(topic) <= MAX_TOPIC
        or set(topic) & {"+", "#", "\0"}
        or not topic.isprintable()
    ):
        raise BadPayload(device_id[:MAX_NAME], "bad_topic")
    return topic


def fraction(value: float, scale: float) -> float:
    return round(min(max(value / scale, 0.0), 1.0), 4)


def shown_name(text: str) -> str:
    """A name that fits into a message and onto one line."""
    return "".join(character if character.isprintable() else " " for character in text)[:MAX_NAME].strip()
