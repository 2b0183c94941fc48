"""What a start finds: deletions cut short, bytes that no document names, and a vector store that does not hold what the
documents table promises."""

from collections.abc import Callable, Iterable

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from ingest_service.documents.lifecycle import DELETE_PRIORITY, FOLDER_PRIORITY, add_job
from ingest_service.tables import ENDED, DocumentRow, JobKind, JobRow
from shared.db.rows import utc_now
from shared.models import DocumentStatus
from shared.observability.logs import get_logger
from shared.vector_store.protocol import VectorStore

log = get_logger(__name__)


def finish_deletions(engine: Engine) -> int:
    """Queue the purge of every document that is marked as gone and has no unfinished purge. Says how many."""
    with Session(engine) as session:
        unfinished = select(JobRow.id).where(
            JobRow.document_id == DocumentRow.id, JobRow.kind == JobKind.DELETE, col(JobRow.state).not_in(ENDED)
        )
        left = session.exec(
            select(DocumentRow).where(
                DocumentRow.status == DocumentStatus.DELETING,
                col(DocumentRow.deleted_at).is_(None),
                ~unfinished.exists(),
            )
        ).all()
        for document in left:
            add_job(session, document, JobKind.DELETE, DELETE_PRIORITY)
        session.commit()
        return len(left)


def drop_orphaned_bytes(engine: Engine, kept: Iterable[str], forget: Callable[[str], None]) -> int:
    """Forget bytes that no living document names: those of a process killed between keeping and committing them, or
    between purging and forgetting. Says how many.

    `forget` looks again under the lock of arrivals, so bytes that get their first document meanwhile stay.
    """
    with Session(engine) as session:
        named = session.exec(
            select(DocumentRow.content_hash, DocumentRow.published_hash).where(col(DocumentRow.deleted_at).is_(None))
        ).all()
    needed = {content_hash for hashes in named for content_hash in hashes}
    orphans = [content_hash for content_hash in kept if content_hash not in needed]
    for content_hash in orphans:
        forget(content_hash)
    return len(orphans)


def queue_what_the_store_lost(engine: Engine, store: VectorStore) -> int:
    """Queue ready documents whose chunks are not in the store: it was replaced, or a new model or encoder began a new
    collection. Says how many. One count tells that nothing is missing, so a usual start reads no document.

    Raises `Unavailable` when the store does not answer.
    """
    ready = (DocumentRow.status == DocumentStatus.READY, col(DocumentRow.deleted_at).is_(None))
    with Session(engine) as session:
        promised = session.exec(
            select(DocumentRow.organization_id, func.sum(DocumentRow.chunks))
            .where(*ready)
            .group_by(col(DocumentRow.organization_id))
        ).all()
        short = [organization for organization, chunks in promised if store.count(organization) < chunks]
        lost = 0
        for document in session.exec(select(DocumentRow).where(*ready, col(DocumentRow.organization_id).in_(short))):
            if store.count(document.organization_id, document.id) == document.chunks:
                continue
            document.status, document.updated_at = DocumentStatus.QUEUED, utc_now()
            session.add(document)
            add_job(session, document, JobKind.INGEST, FOLDER_PRIORITY)
            lost += 1
        session.commit()
        return lost
