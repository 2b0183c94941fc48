"""What keeps the ledger true while others work: leases of the living are renewed, jobs of the dead taken over, old ones
cleared away."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from ingest_service.jobs.ledger import Ledger
from shared.db.rows import utc_now
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)

CLEAR_EVERY_S = 3600.0
"""After a look that found no old job; as long as there are some, a batch goes at each look."""


class Keeper:
    """Takes over and clears away. Any number of them may do so at the same time, in any process."""

    def __init__(self, ledger: Ledger, *, keep_jobs: timedelta) -> None:
        self.ledger = ledger
        self._keep_jobs = keep_jobs
        self._clear_at = time.monotonic()

    def tend(self) -> int:
        """Says how many jobs were taken over: work that nobody else was told of."""
        if time.monotonic() >= self._clear_at and not self.ledger.forget_ended(utc_now() - self._keep_jobs):
            self._clear_at = time.monotonic() + CLEAR_EVERY_S
        if taken := self.ledger.take_from_the_dead():
            log.warning("jobs_taken_over", count=taken)
        return taken


class Heartbeat:
    """A thread that calls `beat` three times a lease; whatever that raises, it is called again."""

    def __init__(self, lease_s: float, beat: Callable[[], object]) -> None:
        self._every_s = lease_s / 3
        self._beat = beat
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                self._beat()
            except Exception:
                # The database may be away for a moment; a lease outlasts two beats.
                INGEST_TROUBLE.labels("heartbeat").inc()
                log.exception("heartbeat_failed")
