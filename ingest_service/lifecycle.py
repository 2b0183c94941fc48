"""What happens to a document's rows when bytes arrive, change or go: always inside the caller's transaction."""

from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from ingest_service.ledger import cancel_jobs_of
from ingest_service.tables import DocumentRow, JobKind, JobRow, SourceKind, SourceRow
from shared.db.rows import utc_now
from shared.models import PENDING_STATUSES, DocumentStatus

FOLDER_PRIORITY = 0
UPLOAD_PRIORITY = 10
"""Somebody waits for an upload; nobody watches a folder."""
DELETE_PRIORITY = 20

DELETED_BY_REQUEST = "Deleted by request; it comes back when the file changes."


def live_document(session: Session, organization_id: UUID, document_id: UUID) -> DocumentRow | None:
    """The document, unless it is unknown, another organization's, marked as gone or purged."""
    return session.exec(
        select(DocumentRow).where(
            DocumentRow.id == document_id,
            DocumentRow.organization_id == organization_id,
            col(DocumentRow.deleted_at).is_(None),
            DocumentRow.status != DocumentStatus.DELETING,
        )
    ).one_or_none()


def live_document_with(session: Session, organization_id: UUID, content_hash: str) -> DocumentRow | None:
    """The document that these bytes are."""
    return session.exec(
        select(DocumentRow).where(
            DocumentRow.organization_id == organization_id,
            DocumentRow.content_hash == content_hash,
            col(DocumentRow.deleted_at).is_(None),
            DocumentRow.status != DocumentStatus.DELETING,
        )
    ).one_or_none()


def source_at(session: Session, organization_id: UUID, kind: SourceKind, key: str) -> SourceRow | None:
    return session.exec(
        select(SourceRow).where(
            SourceRow.organization_id == organization_id, SourceRow.kind == kind, SourceRow.key == key
        )
    ).one_or_none()


def count_sources(session: Session, document_id: UUID) -> int:
    return session.exec(select(func.count()).select_from(SourceRow).where(SourceRow.document_id == document_id)).one()


def add_job(session: Session, document: DocumentRow, kind: JobKind, priority: int) -> JobRow:
    """A waiting job for the document's present version."""
    job = JobRow(
        organization_id=document.organization_id,
        document_id=document.id,
        version=document.version,
        kind=kind,
        priority=priority,
    )
    session.add(job)
    return job


def begin_version(session: Session, document: DocumentRow, priority: int) -> JobRow:
    """Make the row's present content the next version; what is published stays until that one is."""
    cancel_jobs_of(session, document.id, "A newer version of the document arrived.")
    document.version += 1
    document.status = DocumentStatus.QUEUED
    document.error = None
    document.updated_at = utc_now()
    session.add(document)
    return add_job(session, document, JobKind.INGEST, priority)


def name_changed(session: Session, document: DocumentRow, priority: int) -> JobRow | None:
    """Names and titles stand in every stored chunk, so a readable document is stored anew under them. So is one that
    is just being read: its run may have taken the old name along already."""
    document.updated_at = utc_now()
    session.add(document)
    if document.published_version is None and document.status not in PENDING_STATUSES:
        return None
    return begin_version(session, document, priority)


def tombstone(session: Session, document: DocumentRow) -> JobRow:
    """Mark as gone, and queue the purge. Files of the watched folder are remembered, so that they do not bring it
    back at the next scan; all other sources are forgotten."""
    cancel_jobs_of(session, document.id, "The document was deleted.")
    document.status = DocumentStatus.DELETING
    document.updated_at = utc_now()
    session.add(document)
    for source in session.exec(select(SourceRow).where(SourceRow.document_id == document.id)):
        if source.kind == SourceKind.FOLDER:
            source.document_id, source.refusal = None, DELETED_BY_REQUEST
            session.add(source)
        else:
            session.delete(source)
    return add_job(session, document, JobKind.DELETE, DELETE_PRIORITY)


def drop_source(session: Session, source: SourceRow) -> JobRow | None:
    """Forget one source. The document goes with its last one (the purge is returned); if the source gave it its name,
    it takes the name of one that remains."""
    document_id, name = source.document_id, source.key.rsplit("/", 1)[-1]
    session.delete(source)
    session.flush()
    document = live_document(session, source.organization_id, document_id) if document_id else None
    if document is None:
        return None
    rest = session.exec(
        select(SourceRow).where(SourceRow.document_id == document.id).order_by(col(SourceRow.created_at))
    ).all()
    if not rest:
        return tombstone(session, document)
    names = [other.key.rsplit("/", 1)[-1] for other in rest]
    if document.name == name and name not in names:
        document.name = names[0]
        name_changed(session, document, FOLDER_PRIORITY)
    return None
