"""What a start finds: deletions cut short, bytes that no document names, and a vector store that does not hold what the
documents table promises."""

from collections.abc import Callable, Iterable
from uuid import UUID

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from ingest_service.documents.blobs import Blobs
from ingest_service.documents.lifecycle import (
    DELETE_PRIORITY,
    FOLDER_PRIORITY,
    add_job,
    begin_version,
    live_document_with,
)
from ingest_service.parsing.sniff import sniff_file
from ingest_service.tables import ENDED, DocumentRow, JobKind, JobRow
from shared.db.rows import utc_now
from shared.errors import NotFound
from shared.models import PENDING_STATUSES, DocumentStatus
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


def queue_what_the_store_lost(engine: Engine, store: VectorStore, blobs: Blobs) -> int:
    """Queue documents whose published chunks are not in the store: it was replaced, or a new model or encoder began a
    new collection. Says how many. One count tells that nothing is missing, so a usual start reads no document.

    Where the newest version could not be read, the one that is published is read again. Other processes may work on;
    what they begin meanwhile stays. Raises `Unavailable` when the store does not answer.
    """
    with Session(engine) as session:
        promised = session.exec(
            select(DocumentRow.organization_id, func.sum(DocumentRow.chunks))
            .where(*_AT_REST)
            .group_by(col(DocumentRow.organization_id))
        ).all()
    short = [organization for organization, chunks in promised if store.count(organization) < chunks]
    those = select(DocumentRow.id).where(*_AT_REST, col(DocumentRow.organization_id).in_(short))
    with Session(engine) as session:
        suspected = session.exec(those).all()
    return sum(_queued_if_lost(engine, store, blobs, document_id) for document_id in suspected)


_AT_REST = (
    col(DocumentRow.published_version).is_not(None),
    col(DocumentRow.status).not_in({*PENDING_STATUSES, DocumentStatus.DELETING}),
    col(DocumentRow.deleted_at).is_(None),
)


def _queued_if_lost(engine: Engine, store: VectorStore, blobs: Blobs, document_id: UUID) -> bool:
    this = select(DocumentRow).where(*_AT_REST, DocumentRow.id == document_id)
    with blobs.publishing.of(document_id):  # so it is neither replaced nor deleted after the count
        with Session(engine) as session:
            seen = session.exec(this).one_or_none()
        if seen is None or store.count(seen.organization_id, document_id) == seen.chunks:
            return False
        with blobs.changing, Session(engine) as session:
            document = session.exec(this).one_or_none()
            if document is None:  # its job was begun again meanwhile
                return False
            if document.status == DocumentStatus.READY:
                document.status, document.updated_at = DocumentStatus.QUEUED, utc_now()
                session.add(document)
                add_job(session, document, JobKind.INGEST, FOLDER_PRIORITY)
            else:
                _back_to_published(session, document, blobs)
            session.commit()
            return True


def _back_to_published(session: Session, document: DocumentRow, blobs: Blobs) -> None:
    """The version that questions saw becomes the newest again; the one that could not be read stays refused."""
    good = str(document.published_hash)
    document.published_version, document.published_hash, document.chunks = None, None, 0
    session.add(document)
    other = live_document_with(session, document.organization_id, good)
    if other is not None and other.id != document.id:
        return  # these bytes came back as a document of their own
    try:
        original = blobs.existing(good)
    except NotFound as error:
        log.error("original_missing", document_id=str(document.id), reason=error.detail)
        return
    document.content_hash, document.media_type = good, sniff_file(original, document.name)
    begin_version(session, document, FOLDER_PRIORITY)
