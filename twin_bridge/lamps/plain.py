"""Lamps of the lamps file that say one word: ON or OFF, 1 or 0, true or false, or a number if told so."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from twin_bridge.lamps.availability import AvailabilityTopic
from twin_bridge.lamps.payloads import fraction, read_word
from twin_bridge.lamps.protocol import BadPayload, Change, Outgoing, Reading, Report, Sighting, announced
from twin_bridge.protocol import Cap, Mode

_ON = frozenset({"on", "1", "true"})
_OFF = frozenset({"off", "0", "false"})


@dataclass(frozen=True)
class PlainLamp:
    device_id: str
    name: str
    state_topic: str
    command_topic: str
    on: str = "ON"
    """What a command says; a state may say any of the usual words beside it."""
    off: str = "OFF"
    full: float | None = None
    """A bare number is a brightness up to this; None: it is 1 or 0, or a mistake."""
    question: Outgoing | None = None
    availability: AvailabilityTopic | None = None

    @property
    def caps(self) -> frozenset[Cap]:
        return frozenset({Cap.ON, Cap.BRI} if self.full else {Cap.ON})


class PlainLamps:
    source = "plain"
    quiet_seconds = 900.0
    announced_first = True
    tells_all = False

    def __init__(self, lamps: Sequence[PlainLamp]) -> None:
        self._lamps = {lamp.device_id: lamp for lamp in lamps}
        self._readers: dict[str, list[PlainLamp]] = {}
        for lamp in lamps:
            for topic in (lamp.state_topic, *((lamp.availability.topic,) if lamp.availability else ())):
                self._readers.setdefault(topic, []).append(lamp)
        self.subscriptions: Sequence[str] = tuple(self._readers)

    def start(self) -> Reading:
        return Reading(tuple(Sighting(lamp.device_id, report=_description(lamp)) for lamp in self._lamps.values()))

    def read(self, topic: str, payload: bytes) -> Reading:
        sightings: list[Sighting] = []
        refusals: list[BadPayload] = []
        for lamp in self._readers.get(topic, ()):
            try:
                if topic != lamp.state_topic and lamp.availability:
                    online = lamp.availability.read(lamp.device_id, payload)
                    sightings.append(Sighting(lamp.device_id, online=online))
                elif payload:
                    sightings.append(Sighting(lamp.device_id, report=_report(lamp, payload)))
            except BadPayload as error:
                refusals.append(error)
        return Reading(tuple(sightings), refusals=tuple(refusals))

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        lamp = announced(self._lamps, device_id)
        word = lamp.off if change.dark else lamp.on
        if lamp.full and Cap.BRI in change.fields and not change.dark:
            word = f"{round(change.wish.bri * lamp.full, 2):g}"
        return (Outgoing(lamp.command_topic, word.encode()),)

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        lamp = self._lamps.get(device_id)
        return (replace(lamp.question, devices=(device_id,)),) if lamp and lamp.question else ()


def _description(lamp: PlainLamp) -> Report:
    return Report(name=lamp.name, caps=lamp.caps)


def _report(lamp: PlainLamp, payload: bytes) -> Report:
    word = read_word(lamp.device_id, payload)
    on, bri = _meaning(lamp, word)
    mode = Mode.BRI if lamp.full else Mode.ONOFF
    return Report(on=on, bri=bri, mode=mode, name=lamp.name, caps=lamp.caps)


def _meaning(lamp: PlainLamp, word: str) -> tuple[bool, float | None]:
    if word == lamp.on:
        return True, None
    if word == lamp.off:
        return False, None
    if lamp.full:
        try:
            number = float(word)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number > 0, fraction(number, lamp.full)
    if word.lower() in _ON | _OFF:
        return word.lower() in _ON, None
    raise BadPayload(lamp.device_id, "bad_field")
