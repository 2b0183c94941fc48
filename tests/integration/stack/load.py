"""A running load: documents come in, questions are asked, a lamp is switched and followed, all at the same time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests.integration.stack.compose import Stack
from tests.integration.stack.follower import Follower
from tests.integration.stack.visitor import AWAY, Visitor

KNOWN = 1
FIRST = 1000


@dataclass
class Tally:
    """What was done, and what went wrong in a way that no restart excuses."""

    uploaded: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    answered: int = 0
    applied: int = 0
    faults: list[str] = field(default_factory=list)


class Load:
    """Runs between `with` and its end. Document `KNOWN` must be there already: each answer about it must be right."""

    def __init__(self, stack: Stack, key: str, lamp: str) -> None:
        self.tally = Tally()
        self.follower = Follower(stack, lamp)
        self._lamp = lamp
        self._bridge = stack.client("twin_bridge", stack.settings["TWIN__TOKEN"])
        self._writer, self._asker = Visitor(stack, key), Visitor(stack, key)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._until_stopped, args=(work, pause), daemon=True)
            for work, pause in ((self._write, 0.7), (self._ask, 0.3), (self._switch, 0.5))
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        self.follower.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(130)
        self.follower.stop()
        for client in (self._bridge, self._writer, self._asker):
            client.close()

    @property
    def refused(self) -> dict[str, int]:
        """Requests that were sent again, by the reason."""
        both = [self._writer.refused, self._asker.refused]
        return {reason: sum(each.get(reason, 0) for each in both) for reason in sorted({*both[0], *both[1]})}

    def _until_stopped(self, work: Callable[[int], None], pause: float) -> None:
        turn = 0
        while not self._stop.is_set():
            try:
                work(turn)
            except Exception as error:  # noqa: BLE001 -- whatever it is, this turn of the load failed
                self.tally.faults.append(f"{work.__name__}: {error!r}"[:500])
            turn += 1
            time.sleep(pause)

    def _write(self, turn: int) -> None:
        number = FIRST + turn
        if turn % 3 == 2:
            self._writer.drop(number)
            self.tally.dropped.append(number)
        else:
            self._writer.put(number)
            self.tally.uploaded.append(number)

    def _ask(self, turn: int) -> None:
        answer = self._asker.ask_about(KNOWN)
        right = answer["grounded"] and str(KNOWN + 100) in answer["citations"][0]["quote"]
        assert right, answer
        self.tally.answered += 1

    def _switch(self, turn: int) -> None:
        try:
            answer = self._bridge.post(f"/devices/{self._lamp}/set", json={"state": {"on": turn % 2 == 0}})
        except httpx.TransportError:
            return
        assert answer.status_code == 200 or answer.status_code in AWAY or answer.json()["code"], answer.text
        self.tally.applied += answer.status_code == 200
