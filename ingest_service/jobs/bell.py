"""The `Dispatcher` whose workers are other processes: a thread that rings for them as long as the ledger holds work."""

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from sqlalchemy import Engine

from ingest_service.jobs.ledger import Job, Ledger
from ingest_service.jobs.running import run_next
from ingest_service.jobs.turns import count_ready
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)

LOOK_AGAIN_S = 5.0
"""Work may also come from a pause that ended, and a message may be lost."""
MOST_RINGS = 100
"""Messages that wait at most, more than there are workers: each worker rings again when it ends a job."""
STOP_S = 4.0


class JobQueue(Protocol):
    """What carries the message that there is work, and not which: whoever gets it asks the ledger."""

    def ring(self, wanted: int) -> None:
        """See to it that so many messages wait. Raises `Unavailable` when the queue does not answer."""
        ...


class Bell:
    """Rings for what waits in the ledger: when told, and every few seconds whatever happens."""

    def __init__(self, queue: JobQueue, engine: Engine) -> None:
        self.queue = queue
        self.engine = engine
        self._rung = threading.Event()
        self._stop = threading.Event()
        self._away = ""
        self._thread = threading.Thread(target=self._run, name="ingest-bell", daemon=True)

    def start(self, run: Callable[[Job], None]) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._rung.set()

    def stopping(self) -> bool:
        return self._stop.is_set()

    def answer(self, ledger: Ledger, run: Callable[[Job], None]) -> None:
        """What a worker does when it hears the bell: the job whose turn it is, and ring for what waits then. After a
        ring for nothing it is silent, else idle workers would keep each other awake."""
        if not self.stopping() and run_next(ledger, run):
            self.wake()

    def give_back(self) -> None:
        """Jobs in hand shall be given back; returns at once."""
        self._stop.set()

    def stop(self) -> None:
        self._stop.set()
        self._rung.set()
        self._thread.join(STOP_S)

    def facts(self) -> Mapping[str, object]:
        return {"kind": "celery", "queue": self._away or "ok"}

    def _run(self) -> None:
        while not self._stop.is_set():
            self._ring()
            self._rung.wait(LOOK_AGAIN_S)
            self._rung.clear()

    def _ring(self) -> None:
        try:
            self.queue.ring(count_ready(self.engine, MOST_RINGS))
        except Unavailable as error:
            if self._away != error.detail:  # once an outage, not every few seconds
                log.warning("job_queue_away", reason=error.detail)
            INGEST_TROUBLE.labels("queue").inc()
            self._away = error.detail
        except Exception:
            # The database may be away for a moment; the next look is a few seconds later.
            INGEST_TROUBLE.labels("bell").inc()
            log.exception("bell_failed")
        else:
            if self._away:
                log.info("job_queue_back")
            self._away = ""
