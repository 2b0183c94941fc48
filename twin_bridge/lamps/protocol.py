"""The port that every family of lamps implements: reading its payloads, writing its commands. No I/O.

A family may remember what its lamps announced (names, topics, capabilities); what they report is kept by the device
table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from shared.errors import Unavailable
from twin_bridge.client_messages import Wish
from twin_bridge.protocol import Cap, Mode

MAX_PAYLOAD_BYTES = 16 * 1024
"""A state is some hundred bytes; whatever is longer is a mistake or an attack."""
MAX_INVENTORY_BYTES = 4 * 1024 * 1024
"""Zigbee2MQTT lists all its devices with all they can do in one message: some 10 KB a device."""
INVENTORY = "/bridge/devices"
"""How the topic of that list ends."""
GROUPS = "/bridge/groups"
"""And that of its groups."""
_DEVICE = ("/device/", "/config")
"""In, and at the end of, the topic on which Home Assistant is told of a whole device."""
MAX_LAMPS = 5000
"""Lamps that one family remembers, as many as the device table takes."""
MIN_KELVIN, MAX_KELVIN = 1000, 12_000
"""Beyond any lamp that can be bought; what lies outside is clamped."""


def longest(topic: str) -> int:
    """How many bytes a message there may have: lists of all that a gateway or a device has are longer than a state."""
    is_device = _DEVICE[0] in topic and topic.endswith(_DEVICE[1])
    return MAX_INVENTORY_BYTES if is_device or topic.endswith((INVENTORY, GROUPS)) else MAX_PAYLOAD_BYTES


class BadPayload(Exception):
    """A payload that is refused; the lamp keeps its last good state. `reason` labels the metric: a short fixed word."""

    def __init__(self, device_id: str, reason: str) -> None:
        super().__init__(f"{device_id}: {reason}")
        self.device_id, self.reason = device_id, reason


@dataclass(frozen=True)
class Limits:
    """What a lamp accepts within its capabilities, as far as it announces it."""

    kelvin: tuple[int, int] = (MIN_KELVIN, MAX_KELVIN)
    effects: tuple[str, ...] = ()
    """Names of its effects; empty means that it does not say."""


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
    limits: Limits | None = None
    unknown: bool = False
    """It says that it does not know its own state; the last one is kept, as stale."""

    @property
    def of_state(self) -> bool:
        """Whether it says how the lamp is, not only what the lamp is."""
        return any(value is not None for value in (self.on, self.bri, self.mode, self.r, self.ct, self.effect))


@dataclass(frozen=True)
class Sighting:
    """What one message says of one device: a report, a change of availability, a refusal, or its end."""

    device_id: str
    report: Report | None = None
    online: bool | None = None
    removed: bool = False
    refused: str = ""
    """Why the lamp does not do what it was told last, in its own words."""


@dataclass(frozen=True)
class Change:
    """What a command asks of a lamp: only the fields in `fields` of `wish` count; `trans` in seconds."""

    fields: frozenset[Cap]
    wish: Wish
    trans: float = 0.0

    @property
    def dark(self) -> bool:
        """The lamp is to go off, whatever else is asked."""
        return Cap.ON in self.fields and not self.wish.on


@dataclass(frozen=True)
class Outgoing:
    """An MQTT message to publish with QoS 1, never retained: a retained command is a ghost switch."""

    topic: str
    payload: bytes
    devices: tuple[str, ...] = ()
    """Of a question: those that will answer it with their state."""


@dataclass(frozen=True)
class Reading:
    """All that follows from one MQTT message."""

    sightings: tuple[Sighting, ...] = ()
    subscribe: tuple[str, ...] = ()
    """Topics to listen to from now on; the family reads them too."""
    unsubscribe: tuple[str, ...] = ()
    """Topics to let go of, before the new ones are subscribed to."""
    ask: tuple[Outgoing, ...] = ()
    """Questions to publish, whose answers will be states."""
    refusals: tuple[BadPayload, ...] = ()
    """What is wrong with parts of the message, while the rest of it counts."""


NOTHING = Reading()


def combined(readings: Iterable[Reading]) -> Reading:
    """All of them as one, in their order."""
    parts = list(readings)
    return Reading(
        sightings=tuple(seen for part in parts for seen in part.sightings),
        subscribe=tuple(topic for part in parts for topic in part.subscribe),
        unsubscribe=tuple(topic for part in parts for topic in part.unsubscribe),
        ask=tuple(question for part in parts for question in part.ask),
        refusals=tuple(error for part in parts for error in part.refusals),
    )


class LampFamily(Protocol):
    source: str
    """Its name in `Device.src`."""
    subscriptions: Sequence[str]
    """Topic filters that it listens to from the start."""
    quiet_seconds: float
    """How long its lamps may be silent before they are asked, or are shown as stale if they cannot be asked."""
    announced_first: bool
    """Whether nobody knows how to reach its lamps before they are announced."""

    @property
    def tells_all(self) -> bool:
        """Whether lists of all its lamps came, each retained: one that is in none of them was taken away."""
        ...

    def start(self) -> Reading:
        """What is known before anybody has spoken: the lamps of the lamps file."""
        ...

    def read(self, topic: str, payload: bytes) -> Reading:
        """The meaning of a message on one of its topics. Raises `BadPayload`."""
        ...

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        """The command for a device that this family has reported itself: ids never come from clients.

        Several messages are to be published in their order. Raises `Unavailable` if the lamp was not announced since
        the bridge started.
        """
        ...

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        """The question that a device answers with its state; empty if it answers none."""
        ...


Lamp = TypeVar("Lamp")


def announced(lamps: Mapping[str, Lamp], device_id: str) -> Lamp:
    """What a family knows of a device. Raises `Unavailable` for one that is remembered, but not announced again yet."""
    if device_id not in lamps:
        raise Unavailable("The lamp was not heard of since the bridge started; nobody knows how to reach it.")
    return lamps[device_id]
