"""One turn of a worker: claim the job whose turn it is, and run it with its ids on every log line."""

from collections.abc import Callable

from ingest_service.jobs.ledger import Job, Ledger
from shared.observability.logs import get_logger, log_scope
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)


def run_next(ledger: Ledger, run: Callable[[Job], None]) -> bool:
    """Whether there was a job. Never raises; `run` does one job and never raises either."""
    job = _claimed(ledger)
    if job is None:
        return False
    with log_scope(job_id=str(job.id), document_id=str(job.document_id)):
        try:
            run(job)
        finally:
            ledger.let_go(job)
    return True


def _claimed(ledger: Ledger) -> Job | None:
    try:
        job = ledger.claim()
    except Exception:
        # The database may be away for a moment; whoever looks again finds the job.
        INGEST_TROUBLE.labels("claim").inc()
        log.exception("claim_failed")
        return None
    try:
        ledger.waiting()
    except Exception:
        # Only the gauge is old then. The job is claimed: who gave it up here would keep it from everybody.
        INGEST_TROUBLE.labels("count").inc()
        log.exception("waiting_not_counted")
    return job
