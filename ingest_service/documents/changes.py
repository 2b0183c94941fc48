"""What people change by hand: titles, metadata, and jobs that shall stop or be tried again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session, col, update

from ingest_service.documents.blobs import Blobs
from ingest_service.documents.lifecycle import UPLOAD_PRIORITY, labels_changed, live_document
from ingest_service.jobs.cancelling import cancel_jobs_of
from ingest_service.names import clean_line
from ingest_service.tables import AT_ONCE, ENDED, DocumentRow, JobKind, JobRow, JobState
from shared.db.rows import utc_now
from shared.errors import Conflict, NotFound
from shared.models import DocumentStatus

CANCELLED = "Cancelled by request. POST /jobs/{id}/retry starts it again."


class Changes:
    """Synchronous and thread-safe; calls `wake` when there is new work.

    The locks of `blobs` are held: a title given while the document goes must not bring it back.
    """

    def __init__(self, engine: Engine, blobs: Blobs, wake: Callable[[], None]) -> None:
        self.engine = engine
        self.blobs = blobs
        self.wake = wake

    def amend(
        self,
        organization_id: UUID,
        document_id: UUID,
        *,
        title: str | None,
        collection: str | None,
        metadata: dict[str, Any] | None,
    ) -> None:
        """Set what is not None. A job writes it into the document's chunks, without reading or embedding anything.

        Raises `NotFound`.
        """
        with self.blobs.changing, Session(self.engine) as session:
            document = live_document(session, organization_id, document_id)
            if document is None:
                raise NotFound("There is no document with this id. GET /documents lists them.")
            before = (document.shown_title, document.collection, document.extra)
            if title is not None:
                document.title = clean_line(title)
            if collection is not None:
                document.collection = clean_line(collection)
            if metadata is not None:
                document.extra = metadata
            if before != (document.shown_title, document.collection, document.extra):
                labels_changed(session, document, UPLOAD_PRIORITY)
            session.commit()
        self.wake()

    def cancel(self, organization_id: UUID, job_id: UUID) -> None:
        """Stop a waiting job now, a running one between two of its steps. Raises `NotFound`, and `Conflict` when
        there is nothing to stop."""
        with Session(self.engine) as session:
            document_id = self._job(session, organization_id, job_id).document_id
        with self.blobs.publishing.of(document_id), self.blobs.changing, Session(self.engine) as session:
            job = self._job(session, organization_id, job_id)
            if job.kind == JobKind.DELETE:
                raise Conflict("A deletion cannot be cancelled: the document is marked as gone already.")
            if job.kind == JobKind.RELABEL:
                raise Conflict("A change of names cannot be cancelled: change them back instead.")
            if job.state in ENDED:
                raise Conflict(f"This job has ended already ({job.state}).")
            document = session.get_one(DocumentRow, job.document_id)
            if job.state == JobState.QUEUED and document.version == job.version:
                document.status, document.error, document.updated_at = DocumentStatus.FAILED, CANCELLED, utc_now()
                session.add(document)
            cancel_jobs_of(session, job.document_id, CANCELLED)
            session.commit()

    def retry(self, organization_id: UUID, job_id: UUID) -> None:
        """Queue a failed or cancelled job again with fresh attempts. Raises `NotFound`, and `Conflict` when it did
        not fail or a newer version made it pointless."""
        with self.blobs.changing, Session(self.engine) as session:
            job = self._job(session, organization_id, job_id)
            if job.state not in {JobState.FAILED, JobState.CANCELLED}:
                raise Conflict(f"Only a failed or cancelled job can be retried; this one is {job.state}.")
            document = session.get_one(DocumentRow, job.document_id)
            deleting = document.status == DocumentStatus.DELETING
            if document.deleted_at or document.version != job.version or deleting != (job.kind == JobKind.DELETE):
                raise Conflict("The document was deleted, or a newer version of it arrived: there is nothing to retry.")
            now = utc_now()
            session.exec(
                update(JobRow)
                .where(col(JobRow.id) == job_id, col(JobRow.state).in_([JobState.FAILED, JobState.CANCELLED]))
                .values(
                    state=JobState.QUEUED,
                    attempts=0,
                    interruptions=0,
                    pauses=0,
                    error=None,
                    cancel_reason=None,
                    queued_at=now,
                    run_after=AT_ONCE,
                    updated_at=now,
                )
            )
            if job.kind == JobKind.INGEST:
                document.status, document.error, document.updated_at = DocumentStatus.QUEUED, None, now
                session.add(document)
            session.commit()
        self.wake()

    def _job(self, session: Session, organization_id: UUID, job_id: UUID) -> JobRow:
        job = session.get(JobRow, job_id)
        if job is None or job.organization_id != organization_id:
            raise NotFound("There is no job with this id. GET /jobs lists them.")
        return job
