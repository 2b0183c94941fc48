"""Stopping the jobs of a document, together with the change that makes them pointless."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, update

from ingest_service.tables import JobKind, JobRow, JobState
from shared.db.rows import utc_now


def cancel_jobs_of(
    session: Session, document_id: UUID, reason: str, kinds: Sequence[JobKind] = (JobKind.INGEST,)
) -> None:
    """Stop a document's jobs of these kinds, inside the caller's transaction.

    A waiting one is cancelled now. A running one is asked to stop, and no other job of its document begins until it
    did: otherwise it could still publish after its successor, or after the purge.
    """
    of_document = (col(JobRow.document_id) == document_id, col(JobRow.kind).in_(kinds))
    session.exec(
        update(JobRow)
        .where(*of_document, col(JobRow.state) == JobState.QUEUED)
        .values(state=JobState.CANCELLED, error=reason, updated_at=utc_now())
    )
    session.exec(
        update(JobRow)
        .where(*of_document, col(JobRow.state) == JobState.RUNNING)
        .values(cancel_reason=reason, updated_at=utc_now())
    )
