"""The `Dispatcher` of one process: threads of it run the jobs, one more keeps the ledger."""

import threading
import time
from collections.abc import Callable, Mapping

from ingest_service.jobs.keeping import Heartbeat, Keeper
from ingest_service.jobs.ledger import Job, Ledger
from ingest_service.jobs.running import run_next
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)

LOOK_AGAIN_S = 1.0
"""Work may also come from a pause that ended or from another process, which cannot ring the bell here."""
STOP_S = 4.0
"""A job in hand ends between two of its steps or is given back within this time; the service shuts down in 5 s."""


class Workers:
    """`count` threads over one ledger, and one more that keeps its leases and clears old jobs away."""

    def __init__(self, ledger: Ledger, keeper: Keeper, *, count: int, lease_s: float) -> None:
        self.ledger = ledger
        self.keeper = keeper
        self._count = count
        self._bell = threading.Condition()
        self._rung = 0
        self._stop = threading.Event()
        self._heartbeat = Heartbeat(lease_s, self._beat)
        self._threads: list[threading.Thread] = []

    def start(self, run: Callable[[Job], None]) -> None:
        """Take over what a dead process left, then begin."""
        self.keeper.tend()
        for number in range(self._count):
            thread = threading.Thread(target=self._work, args=(run,), name=f"ingest-worker-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._heartbeat.start()

    def wake(self) -> None:
        with self._bell:
            self._rung += 1
            self._bell.notify_all()

    def stopping(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        """Whoever takes longer than a few seconds is left to its lease."""
        self._stop.set()
        self.wake()
        deadline = time.monotonic() + STOP_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if late := [thread.name for thread in self._threads if thread.is_alive()]:
            INGEST_TROUBLE.labels("late_stop").inc()
            log.warning("workers_left_behind", threads=late)
        self._heartbeat.stop()

    def facts(self) -> Mapping[str, object]:
        return {"kind": "in_process", "workers": self._count}

    def _work(self, run: Callable[[Job], None]) -> None:
        while not self._stop.is_set():
            rung = self._rung
            if not run_next(self.ledger, run):
                with self._bell:
                    self._bell.wait_for(lambda seen=rung: self._rung != seen, timeout=LOOK_AGAIN_S)  # type: ignore[misc]

    def _beat(self) -> None:
        self.ledger.renew()
        if self.keeper.tend():
            self.wake()
