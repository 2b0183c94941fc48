"""The port that every family of lamps implements: reading its payloads, writing its commands. Pure, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from twin_bridge.client_messages import Wish
from twin_bridge.protocol import Cap, Mode

MAX_PAYLOAD_BYTES = 16 * 1024
"""A state is some hundred bytes; whatever is longer is a mistake or an attack."""


class BadPayload(Exception):
    """A payload that is refused; the lamp keeps its last good state. `reason` labels the metric: a short fixed word."""

    def __init__(self, device_id: str, reason: str) -> None:
        super().__init__(f"{device_id}: {reason}")
        self.device_id, self.reason = device_id, reason


@dataclass(frozen=True)
class Report:
    """What a lamp said of itself, canonical and within range; None means that it did not say."""

    on: bool | None = None
    bri: float | None = None
    mode: Mode | None = None
    r: int | None = None
    g: int | None = None
    b: int | None = None
    ct: int | None = None
    effect: str | None = None
    name: str | None = None
    caps: frozenset[Cap] | None = None


@dataclass(frozen=True)
class Sighting:
    """One MQTT message understood: a report, a change of availability, or the end of a device."""

    device_id: str
    report: Report | None = None
    online: bool | None = None
    removed: bool = False


@dataclass(frozen=True)
class Change:
    """What a command asks of a lamp: only the fields in `fields` of `wish` count; `trans` in seconds."""

    fields: frozenset[Cap]
    wish: Wish
    trans: float = 0.0


@dataclass(frozen=True)
class Outgoing:
    """An MQTT message to publish with QoS 1, never retained: a retained command is a ghost switch."""

    topic: str
    payload: bytes


class LampFamily(Protocol):
    source: str
    """Its name in `Device.src`."""
    subscriptions: Sequence[str]
    """Topic filters that it reads; no two families may share a topic."""

    def read(self, topic: str, payload: bytes) -> Sighting:
        """The meaning of a message on one of the subscriptions. Raises `BadPayload`."""
        ...

    def write(self, device_id: str, change: Change) -> Outgoing:
        """The command for a device that this family has reported itself: ids never come from clients."""
        ...
