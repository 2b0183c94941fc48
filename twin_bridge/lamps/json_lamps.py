"""Lamps that speak the JSON of json_light.py, each with its own topics; who they are, discovery or a file tells.

Or say the same in pieces, each on a topic of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic_core import to_json

from twin_bridge.lamps.availability import Availability
from twin_bridge.lamps.bare_topics import BareTopics
from twin_bridge.lamps.json_light import JsonLight, is_blind_to_white, read_light, write_light
from twin_bridge.lamps.payloads import read_object
from twin_bridge.lamps.protocol import (
    MAX_LAMPS,
    NOTHING,
    BadPayload,
    Change,
    Outgoing,
    Reading,
    Report,
    Sighting,
    announced,
    combined,
)


@dataclass
class JsonLamp:
    device_id: str
    light: JsonLight
    state_topic: str
    command_topic: str
    availability: Availability
    question: Outgoing | None = None
    """What it answers with its state."""
    bare: BareTopics | None = None
    """Where it says each field and is told it, if that is not one JSON object."""
    lit: bool = False
    """Whether it is on, as far as it said."""

    @property
    def state_topics(self) -> tuple[str, ...]:
        return tuple(self.bare.states) if self.bare else (self.state_topic,)

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.state_topics, *(each.topic for each in self.availability.topics)]))


class JsonLamps:
    """A set of such lamps. Several may share a topic."""

    def __init__(self) -> None:
        self._lamps: dict[str, JsonLamp] = {}
        self._readers: dict[str, list[JsonLamp]] = {}

    def __contains__(self, device_id: object) -> bool:
        return device_id in self._lamps

    def add(self, lamp: JsonLamp) -> Reading:
        """Take in a lamp, or what is new about one. Raises `BadPayload` if there are too many."""
        former = self._lamps.get(lamp.device_id)
        if former is None and len(self._lamps) >= MAX_LAMPS:
            raise BadPayload(lamp.device_id, "too_many_devices")
        description = Report(name=lamp.light.name or None, caps=lamp.light.caps, limits=lamp.light.limits)
        seen = Sighting(lamp.device_id, report=description)
        if former and (former.topics, former.availability.topics) == (lamp.topics, lamp.availability.topics):
            former.light, former.command_topic, former.question = lamp.light, lamp.command_topic, lamp.question
            former.state_topic, former.bare = lamp.state_topic, lamp.bare
            return Reading((seen,))
        unsubscribe = self._forget(former) if former else ()
        self._lamps[lamp.device_id] = lamp
        for topic in lamp.topics:
            self._readers.setdefault(topic, []).append(lamp)
        return Reading(
            (seen,),
            subscribe=lamp.topics,
            unsubscribe=tuple(topic for topic in unsubscribe if topic not in lamp.topics),
            ask=self.poll(lamp.device_id),
        )

    def remove(self, device_id: str) -> Reading:
        lamp = self._lamps.pop(device_id, None)
        if lamp is None:
            return NOTHING
        return Reading((Sighting(device_id, removed=True),), unsubscribe=self._forget(lamp))

    def read(self, topic: str, payload: bytes) -> Reading:
        """A state or an availability; one lamp that cannot read it does not cost the others."""
        sightings: list[Sighting] = []
        questions: list[Outgoing] = []
        refusals: list[BadPayload] = []
        for lamp in self._readers.get(topic, ()):
            try:
                if topic in lamp.state_topics:
                    sightings += _state(lamp, topic, payload)
                else:
                    was_away = lamp.availability.online is False
                    lamp.availability.hear(lamp.device_id, topic, payload)
                    sightings.append(Sighting(lamp.device_id, online=lamp.availability.online))
                    if was_away and lamp.availability.online is not False:
                        questions += self.poll(lamp.device_id)
            except BadPayload as error:
                refusals.append(error)
        return Reading(tuple(sightings), ask=tuple(questions), refusals=tuple(refusals))

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        lamp = announced(self._lamps, device_id)
        values = write_light(lamp.light, change, lit=lamp.lit)
        return tuple(lamp.bare.write(values)) if lamp.bare else (Outgoing(lamp.command_topic, to_json(values)),)

    def poll(self, device_id: str) -> tuple[Outgoing, ...]:
        lamp = self._lamps.get(device_id)
        return (replace(lamp.question, devices=(device_id,)),) if lamp and lamp.question else ()

    def _forget(self, lamp: JsonLamp) -> tuple[str, ...]:
        """Stop reading its topics; returns those that no lamp reads any more."""
        for topic in lamp.topics:
            self._readers[topic] = [each for each in self._readers.get(topic, []) if each is not lamp]
        orphans = tuple(topic for topic in lamp.topics if not self._readers[topic])
        for topic in orphans:
            del self._readers[topic]
        return orphans


class ConfiguredJsonLamps:
    """The lamps of the lamps file that speak this JSON."""

    quiet_seconds = 900.0
    announced_first = True
    tells_all = False

    def __init__(self, source: str, lamps: Sequence[JsonLamp]) -> None:
        self.source = source
        self._lamps = JsonLamps()
        self._described = combined([self._lamps.add(lamp) for lamp in lamps])
        self.subscriptions: Sequence[str] = self._described.subscribe

    def start(self) -> Reading:
        return Reading(self._described.sightings)

    def read(self, topic: str, payload: bytes) -> Reading:
        return self._lamps.read(topic, payload)

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        return self._lamps.write(device_id, change)

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        return self._lamps.poll(device_id)


def _state(lamp: JsonLamp, topic: str, payload: bytes) -> tuple[Sighting, ...]:
    if not payload:  # a retained state was deleted: that is no state
        return ()
    bare = lamp.bare
    said = bare.read(lamp.device_id, topic, payload) if bare else read_object(lamp.device_id, payload)
    if is_blind_to_white(lamp.light, said):
        lamp.light = lamp.light.without_white_temperature()
    report = read_light(lamp.light, said)
    if report.on is not None:
        lamp.lit = report.on
    return (Sighting(lamp.device_id, report=report),)
