"""Asking lamps how they are: after a reconnect, when they are announced, and when they were silent for long.

A lamp that is cut at the wall stays `online` with every peer for minutes to hours; only a question that stays
unanswered shows it. Its last state is kept and marked as stale; nobody invents an `off`.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from twin_bridge.lamps.families import Families
from twin_bridge.lamps.protocol import Outgoing
from twin_bridge.state import DeviceTable

log = get_logger(__name__)

PAUSE_SECONDS = 0.05
"""Between two questions to one family: a radio network of a hundred lamps takes some twenty messages a second."""
MAX_WAITING = 10_000
ANSWER_SECONDS = 10.0
"""How long a lamp may take to answer before its state counts as old."""

Publish = Callable[[Outgoing], "asyncio.Future[None]"]


@dataclass(frozen=True)
class _Expected:
    """A state that has to come by `deadline`."""

    deadline: float
    retained: bool
    """A retained one is as good: the lamp cannot be asked, and that is the last it said."""


class Questions:
    """Questions that wait to be published, one after the other in each family; the same one waits once.

    Whoever is asked has `ANSWER_SECONDS` from then on; `clock` says when.
    """

    def __init__(self, publish: Publish, clock: Callable[[], float] = time.monotonic) -> None:
        self._publish, self._clock = publish, clock
        self._waiting: dict[str, dict[Outgoing, None]] = {}
        self._expected: dict[str, _Expected] = {}
        self._some = asyncio.Event()

    def ask(self, source: str, questions: Iterable[Outgoing]) -> None:
        """Have lamps of the family `source` asked, soon."""
        for question in questions:
            waiting = self._waiting.setdefault(source, {})
            if len(waiting) >= MAX_WAITING:
                log.warning("lamps_not_asked", family=source, waiting=MAX_WAITING)
                break
            waiting[question] = None
            self._some.set()

    def waiting(self) -> list[Outgoing]:
        """Those that are not published yet."""
        return [question for questions in self._waiting.values() for question in questions]

    def expect(self, device_id: str) -> None:
        """A device that cannot be asked is to be heard, or to be found retained, as soon as others answer."""
        self._expect(device_id, retained=True)

    def answered(self, device_id: str, *, retained: bool) -> None:
        """It told its state."""
        expected = self._expected.get(device_id)
        if expected is not None and (expected.retained or not retained):
            del self._expected[device_id]

    def awaits(self, device_id: str) -> bool:
        """Whether it still has time to answer."""
        return device_id in self._expected

    def overdue(self) -> list[str]:
        """Devices that did not answer in time, each told once."""
        now = self._clock()
        late = [device_id for device_id, expected in self._expected.items() if expected.deadline <= now]
        for device_id in late:
            del self._expected[device_id]
        return late

    def drop(self) -> None:
        """Without a broker nobody is asked, and nobody can answer: a reconnect asks anew."""
        self._waiting.clear()
        self._expected.clear()

    def _expect(self, device_id: str, *, retained: bool) -> None:
        self._expected.setdefault(device_id, _Expected(self._clock() + ANSWER_SECONDS, retained))

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._some.wait()
            for source in list(self._waiting):
                question = next(iter(self._waiting[source]))
                del self._waiting[source][question]
                if not self._waiting[source]:
                    del self._waiting[source]
                try:
                    self._publish(question).add_done_callback(_log_failure)
                except Unavailable:
                    self.drop()
                    break
                for device_id in question.devices:
                    self._expect(device_id, retained=False)
            if not self._waiting:
                self._some.clear()
            await asyncio.sleep(PAUSE_SECONDS)


class SilenceWatch:
    """Finds lamps that were silent for longer than their family allows; asks them, or calls their state old."""

    def __init__(self, table: DeviceTable, families: Families, questions: Questions) -> None:
        self._table = table
        self._families = families
        self._questions = questions
        self._asked: dict[str, float] = {}

    def check(self, now: float) -> list[str]:
        """Ask those that can be asked; returns the others, whose state is old from now on.

        `now` is on the clock of the table.
        """
        old = []
        for silence in self._table.silences(now):
            device = silence.device
            limit = self._families.quiet_seconds(device)
            if silence.seconds < limit or not device.online:
                self._asked.pop(device.id, None)
            elif now - self._asked.get(device.id, -limit) < limit:
                continue
            elif questions := self._families.poll(device):
                self._questions.ask(device.src, questions)
                self._asked[device.id] = now
            elif not silence.announced:
                old.append(device.id)
        self._asked = {device_id: at for device_id, at in self._asked.items() if device_id in self._table}
        return [device_id for device_id in old if self._table.mark_stale(device_id)]


def _log_failure(future: "asyncio.Future[None]") -> None:
    if not future.cancelled() and (error := future.exception()):
        log.info("lamp_not_asked", reason=str(error))
