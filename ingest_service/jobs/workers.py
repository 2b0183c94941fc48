"""The threads that work: some run jobs, one keeps the leases alive and takes over from the dead."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from ingest_service.jobs.ledger import Job, Ledger
from shared.db.rows import utc_now
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)

LOOK_AGAIN_S = 1.0
"""Work may also come from a pause that ended or from another process, which cannot ring the bell here."""
CLEAR_EVERY_S = 3600.0
"""After a look that found no old job; as long as there are some, a batch goes at each beat."""
STOP_S = 4.0
"""A job in hand ends between two of its steps or is given back within this time; the service shuts down in 5 s."""


class Workers:
    """`count` threads over one ledger, and one more that keeps its leases and clears old jobs away."""

    def __init__(self, ledger: Ledger, *, count: int, lease_s: float, keep_jobs: timedelta) -> None:
        self.ledger = ledger
        self._count = count
        self._keep_jobs = keep_jobs
        self._bell = threading.Condition()
        self._rung = 0
        self._stop = threading.Event()
        self._beat_s = lease_s / 3
        self._threads: list[threading.Thread] = []

    def start(self, run: Callable[[Job], None]) -> None:
        """Take over what a dead process left, then begin. `run` does one job and never raises."""
        if taken := self.ledger.take_from_the_dead():
            log.warning("jobs_taken_over", count=taken)
        for number in range(self._count):
            self._begin(f"ingest-worker-{number}", lambda: self._work(run))
        self._begin("ingest-keeper", self._keep_alive)

    def wake(self) -> None:
        """There is new work."""
        with self._bell:
            self._rung += 1
            self._bell.notify_all()

    def stopping(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        """Let jobs in hand end or be given back; whoever takes longer is left to its lease."""
        self._stop.set()
        self.wake()
        deadline = time.monotonic() + STOP_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if late := [thread.name for thread in self._threads if thread.is_alive()]:
            INGEST_TROUBLE.labels("late_stop").inc()
            log.warning("workers_left_behind", threads=late)

    def _begin(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self, run: Callable[[Job], None]) -> None:
        while not self._stop.is_set():
            rung = self._rung
            job = self._claimed()
            if job is None:
                with self._bell:
                    self._bell.wait_for(lambda seen=rung: self._rung != seen, timeout=LOOK_AGAIN_S)  # type: ignore[misc]
                continue
            with structlog.contextvars.bound_contextvars(job_id=str(job.id), document_id=str(job.document_id)):
                run(job)

    def _claimed(self) -> Job | None:
        try:
            job = self.ledger.claim()
            self.ledger.waiting()
        except Exception:
            # The database may be away for a moment; the next look is a second later.
            INGEST_TROUBLE.labels("claim").inc()
            log.exception("claim_failed")
            return None
        return job

    def _keep_alive(self) -> None:
        clear_at = time.monotonic()
        while not self._stop.wait(self._beat_s):
            try:
                self.ledger.renew()
                if time.monotonic() >= clear_at and not self.ledger.forget_ended(utc_now() - self._keep_jobs):
                    clear_at = time.monotonic() + CLEAR_EVERY_S
                if taken := self.ledger.take_from_the_dead():
                    log.warning("jobs_taken_over", count=taken)
                    self.wake()
            except Exception:
                INGEST_TROUBLE.labels("heartbeat").inc()
                log.exception("heartbeat_failed")
