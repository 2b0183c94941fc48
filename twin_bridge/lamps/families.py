"""All families of a bridge behind one door: which of them read a topic, and which of them a device belongs to."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from twin_bridge.lamps.protocol import BadPayload, Change, LampFamily, Outgoing, Reading
from twin_bridge.protocol import Device

log = get_logger(__name__)

REMEMBERED_TOPICS = 10_000
"""Topics whose readers are looked up once."""


class Families:
    """The families of one bridge; devices in `ignored` are passed over."""

    def __init__(self, families: Sequence[LampFamily], ignored: Iterable[str] = ()) -> None:
        self._families = {family.source: family for family in families}
        self._ignored = frozenset(ignored)
        self._filters = [(_pattern(topic), family) for family in families for topic in family.subscriptions]
        self._learned: dict[str, list[LampFamily]] = {}
        self._routes: dict[str, tuple[LampFamily, ...]] = {}

    @property
    def subscriptions(self) -> list[str]:
        """Topic filters to listen to from the start; readings tell which to add."""
        return list(dict.fromkeys(topic for family in self._families.values() for topic in family.subscriptions))

    def start(self) -> list[tuple[str, Reading]]:
        """What is known before anybody has spoken, with the name of the family that knows it."""
        return [(family.source, self._accept(family, family.start())) for family in self._families.values()]

    def read(self, topic: str, payload: bytes) -> list[tuple[str, Reading]]:
        """What a message means to each family that reads its topic, with the name of that family. Never raises."""
        found = []
        for family in self._readers(topic):
            try:
                reading = family.read(topic, payload)
            except BadPayload as error:
                reading = Reading(refusals=(error,))
            except Exception as error:  # a fault of ours in one reader must not cost the other messages of the batch
                log.error("payload_not_read", topic=topic[:200], family=family.source, exc_info=error)
                reading = Reading(refusals=(BadPayload(family.source, "reader_failed"),))
            found.append((family.source, self._accept(family, reading)))
        return found

    def write(self, device: Device, change: Change) -> Sequence[Outgoing]:
        """The messages of a command, in their order. Raises `Unavailable` if nobody knows how to reach the lamp."""
        family = self._families.get(device.src)
        if family is None:
            raise Unavailable(f"The bridge does not listen to {device.src} lamps any more; see TWIN__FAMILIES.")
        return family.write(device.id, change)

    def poll(self, device: Device) -> Sequence[Outgoing]:
        """The question that a device answers with its state; empty if it answers none."""
        family = self._families.get(device.src)
        return family.poll(device.id) if family else ()

    def quiet_seconds(self, device: Device) -> float:
        """How long a device may be silent before it is asked, or shown as stale."""
        family = self._families.get(device.src)
        return family.quiet_seconds if family else 0.0

    def announced_first(self, device: Device) -> bool:
        """Whether a device that nobody announces cannot be reached."""
        family = self._families.get(device.src)
        return family is None or family.announced_first

    def tells_all(self, device: Device) -> bool:
        """Whether a device that nobody announces was taken away."""
        family = self._families.get(device.src)
        return family is not None and family.tells_all

    def _readers(self, topic: str) -> tuple[LampFamily, ...]:
        readers = self._routes.get(topic)
        if readers is None:
            found = [family for pattern, family in self._filters if pattern.fullmatch(topic)]
            readers = tuple(dict.fromkeys([*found, *self._learned.get(topic, ())]))
            if len(self._routes) >= REMEMBERED_TOPICS:
                self._routes.clear()
            self._routes[topic] = readers
        return readers

    def _accept(self, family: LampFamily, reading: Reading) -> Reading:
        """Take over its subscriptions, and leave out what is nobody else's business."""
        dropped = tuple(topic for topic in reading.unsubscribe if self._drop(topic, family))
        for topic in reading.subscribe:
            readers = self._learned.setdefault(topic, [])
            if family not in readers:
                readers.append(family)
            self._routes.pop(topic, None)
        if dropped != reading.unsubscribe:
            reading = replace(reading, unsubscribe=dropped)
        if self._ignored:
            kept = tuple(seen for seen in reading.sightings if seen.device_id not in self._ignored)
            reading = replace(reading, sightings=kept)
        return reading

    def _drop(self, topic: str, family: LampFamily) -> bool:
        """Whether nobody reads the topic any more."""
        readers = self._learned.get(topic, [])
        if family in readers:
            readers.remove(family)
        self._routes.pop(topic, None)
        if readers:
            return False
        self._learned.pop(topic, None)
        return not any(pattern.fullmatch(topic) for pattern, _ in self._filters)


def _pattern(topic_filter: str) -> re.Pattern[str]:
    levels = ("[^/]*" if level == "+" else re.escape(level) for level in topic_filter.split("/"))
    return re.compile("/".join(levels), re.DOTALL)
