"""What becomes of a job and its document when a run ends, well or badly. One place decides about trying again."""

from ingest_service.documents.deletion import Remover
from ingest_service.documents.versions import Versions
from ingest_service.jobs.ledger import LONGEST_PAUSE_S, Job, JobCancelled, LeaseLost, Ledger
from ingest_service.parsing.errors import ParserDied, UnreadableDocument
from ingest_service.pipeline import Pipeline, WorkerStopping
from ingest_service.tables import JobKind, JobState
from shared.db.corpus import corpus_changed
from shared.errors import NotFound, Unavailable
from shared.models import DocumentStatus
from shared.observability.logs import get_logger
from shared.observability.metrics import DOCUMENTS_FINISHED, INGEST_TROUBLE
from shared.observability.traces import Facts, continued, span

log = get_logger(__name__)

MAX_PAUSES = 80
"""How often a document waits for a store or model that does not answer: an hour, as most pauses take 30 to 60 s. Its
attempts are not used up by that, nor its pauses by its time in the queue. A deletion and a change of names wait for as
long as it takes: until then questions may find what was to be gone, or by labels that it no longer has."""
MAX_INTERRUPTIONS = 10
"""How often the service may die over a document before it is set aside. Many: power cuts count too."""
UNEXPECTED = "Something failed here that we did not foresee. The log has it under this job's id."


class Runner:
    """Runs a claimed job to one of the ends it can have. Never raises."""

    def __init__(
        self, ledger: Ledger, versions: Versions, pipeline: Pipeline, remover: Remover, *, max_attempts: int
    ) -> None:
        self.ledger = ledger
        self.versions = versions
        self.pipeline = pipeline
        self.remover = remover
        self.max_attempts = max_attempts

    def run(self, job: Job) -> None:
        """Do the work of one job and settle it, in the trace of whoever asked for it."""
        facts: Facts = {
            "xgtwin.job_id": str(job.id),
            "xgtwin.document_id": str(job.document_id),
            "xgtwin.version": job.version,
            "xgtwin.attempt": job.attempts,
        }
        try:
            with continued(job.traceparent), span(f"job {job.kind}", facts):
                self._settled(job)
        except LeaseLost:
            INGEST_TROUBLE.labels("lease_lost").inc()
            log.warning("lease_lost")
        except Exception:
            # The database itself fails: the lease runs out, and the job is taken up again then.
            INGEST_TROUBLE.labels("ledger").inc()
            log.exception("job_not_settled")

    def _settled(self, job: Job) -> None:
        try:
            if job.kind == JobKind.INGEST and job.interruptions >= MAX_INTERRUPTIONS:
                self._give_up(job, DocumentStatus.QUARANTINED, _interrupted(job.interruptions))
                return
            try:
                self._work(job)
            finally:  # however far it came, searches may find something else now
                corpus_changed(self.ledger.engine, job.organization_id)
            self.ledger.finish(job, JobState.DONE)
        except LeaseLost:
            raise
        except JobCancelled as cancelled:
            self._note(job, DocumentStatus.FAILED, str(cancelled))
            self.ledger.finish(job, JobState.CANCELLED, str(cancelled))
        except WorkerStopping:
            self._note(job, DocumentStatus.QUEUED)
            self.ledger.give_back(job)
        except (UnreadableDocument, NotFound) as error:
            self._give_up(job, DocumentStatus.QUARANTINED, error.detail)
        except ParserDied as error:
            self._again(job, error.detail)
        except Unavailable as error:
            self._wait_for_parts(job, error.detail)
        except Exception:
            log.exception("job_failed")
            self._again(job, UNEXPECTED)

    def _work(self, job: Job) -> None:
        if job.kind == JobKind.DELETE:
            self.remover.purge(job)
        elif job.kind == JobKind.RELABEL:
            self.pipeline.relabel(job)
        else:
            self._ended(self.pipeline.ingest(job))

    def _wait_for_parts(self, job: Job, detail: str) -> None:
        if job.pauses >= MAX_PAUSES and job.kind == JobKind.INGEST:
            self._give_up(job, DocumentStatus.FAILED, detail)
            return
        INGEST_TROUBLE.labels("unavailable").inc()
        log.warning("job_waits", reason=detail)
        self._note(job, DocumentStatus.QUEUED, detail)
        self.ledger.give_back(job, error=detail, pause_s=_pause_s(job.pauses + 1), paused=True)

    def _again(self, job: Job, detail: str) -> None:
        if job.attempts >= self.max_attempts and job.kind != JobKind.DELETE:
            self._give_up(job, DocumentStatus.QUARANTINED, detail)
            return
        INGEST_TROUBLE.labels("attempt_failed").inc()
        log.warning("attempt_failed", attempt=job.attempts, reason=detail)
        self._note(job, DocumentStatus.QUEUED, detail)
        self.ledger.give_back(job, error=detail, pause_s=_pause_s(job.attempts), counts=True)

    def _give_up(self, job: Job, status: DocumentStatus, detail: str) -> None:
        log.warning("document_given_up", status=status, reason=detail)
        self._note(job, status, detail)
        if job.kind == JobKind.INGEST:
            self._ended(status)
        self.ledger.finish(job, JobState.FAILED, detail)

    def _ended(self, status: DocumentStatus) -> None:
        DOCUMENTS_FINISHED.labels(status).inc()

    def _note(self, job: Job, status: DocumentStatus, error: str | None = None) -> None:
        """The document follows the job that reads it, unless it moved on to a newer version or is being deleted."""
        if job.kind != JobKind.INGEST:
            return
        try:
            self.versions.note(job, status, error)
        except JobCancelled as cancelled:
            log.info("status_overtaken", reason=str(cancelled))


def _pause_s(times: int) -> float:
    return min(2.0 ** min(times, 10), LONGEST_PAUSE_S)  # of a deletion there may be thousands


def _interrupted(times: int) -> str:
    return (
        f"The service ended {times} times while it worked on this document, so it is set aside. "
        "If that were power cuts or restarts, POST /jobs/{id}/retry tries it again."
    )
