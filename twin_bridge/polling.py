"""Asking lamps how they are: after a reconnect, when they are announced, and when they were silent for long.

A lamp that is cut at the wall stays `online` with every peer for minutes to hours; only a question that stays
unanswered shows it. Its last state is kept and marked as stale; nobody invents an `off`.
"""

import asyncio
from collections.abc import Callable, Iterable

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


class Questions:
    """Questions that wait to be published, one after the other in each family; the same one waits once."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._waiting: dict[str, dict[Outgoing, None]] = {}
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

    async def run(self) -> None:
        """Publish until cancelled. Without a broker the questions are dropped: a reconnect asks anew."""
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
                    self._waiting.clear()
                    break
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
        """Ask those that can be asked; returns the devices whose state is old from now on.

        `now` is on the clock of the table.
        """
        old = []
        for silence in self._table.silences(now):
            device = silence.device
            limit = self._families.quiet_seconds(device)
            if silence.seconds < limit or not device.online:
                self._asked.pop(device.id, None)
                continue
            questions = self._families.poll(device)
            since_asked = now - self._asked.get(device.id, -limit)
            if questions and since_asked >= limit:
                self._questions.ask(device.src, questions)
                self._asked[device.id] = now
            elif not device.stale and (since_asked >= ANSWER_SECONDS if questions else not silence.announced):
                old.append(device.id)
        self._asked = {device_id: at for device_id, at in self._asked.items() if device_id in self._table}
        return [device_id for device_id in old if self._table.mark_stale(device_id)]


def _log_failure(future: "asyncio.Future[None]") -> None:
    if not future.cancelled() and (error := future.exception()):
        log.info("lamp_not_asked", reason=str(error))
