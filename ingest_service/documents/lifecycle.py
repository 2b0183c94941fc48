"""What happens to a document's rows when bytes arrive, change or go: always inside the caller's transaction."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from ingest_service.documents.metadata import usable_metadata
from ingest_service.jobs.cancelling import cancel_jobs_of
from ingest_service.names import clean_name
from ingest_service.tables import DocumentRow, JobKind, JobRow, JobState, SourceKind, SourceRow, place_of
from ingest_service.web.address import name_of
from shared.db.rows import utc_now
from shared.errors import Unprocessable
from shared.models import DocumentStatus
from shared.observability.traces import traceparent

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
    """The source of this key, in whatever capitals it was given before."""
    return session.exec(
        select(SourceRow).where(
            SourceRow.organization_id == organization_id,
            SourceRow.kind == kind,
            SourceRow.place == place_of(kind, key),
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
        traceparent=traceparent(),
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


def label(document: DocumentRow, *, title: str, collection: str, metadata: Mapping[str, Any]) -> bool:
    """Give the document what its sender says of it, as far as he says it; whether that changed anything.

    Raises `Unprocessable` when the metadata, together with those that it has, are more than a document may have.
    """
    before = (document.title, document.collection, document.extra)
    document.title = title or document.title
    document.collection = collection or document.collection
    document.extra = {**document.extra, **metadata}
    if metadata:
        try:
            usable_metadata(document.extra)
        except ValueError as error:
            raise Unprocessable(f"metadata cannot be added to what the document has: {error}.") from error
    return before != (document.title, document.collection, document.extra)


def labels_changed(session: Session, document: DocumentRow, priority: int) -> None:
    """Names, titles and labels stand in every stored chunk: a job writes them there. A run that reads the document
    just now may have taken the old ones along, so the job then follows it; one that has not begun takes the new."""
    document.updated_at = utc_now()
    session.add(document)
    jobs = select(JobRow.id).where(JobRow.document_id == document.id)
    waiting = jobs.where(JobRow.kind == JobKind.RELABEL, JobRow.state == JobState.QUEUED)
    reading = jobs.where(JobRow.kind == JobKind.INGEST, JobRow.state == JobState.RUNNING)
    if session.exec(waiting.limit(1)).first() is not None:
        return
    if document.published_version is not None or session.exec(reading.limit(1)).first() is not None:
        add_job(session, document, JobKind.RELABEL, priority)


def collection_of(key: str) -> str:
    """A file of the watched folder belongs to the collection that its uppermost sub-folder names, if it lies in one."""
    folder, slash, _ = key.lstrip("/").partition("/")
    return folder if slash else ""


def would_cost_a_good_one(session: Session, source: SourceRow, document: DocumentRow) -> bool:
    """Whether bytes that nobody could read yet would take the place of a document that is found."""
    if source.document_id in {None, document.id} or document.published_hash == document.content_hash:
        return False
    before = session.get_one(DocumentRow, source.document_id)
    return before.published_version is not None and before.status != DocumentStatus.DELETING


def vouch_for_upload(session: Session, document: DocumentRow, name: str) -> None:
    """What somebody sends as a version stays when the file that it replaces goes from the folder."""
    source = source_at(session, document.organization_id, SourceKind.UPLOAD, name)
    if source is not None and source.document_id != document.id:
        name = f"{document.id}/{name}"  # the plain name is another document's
        source = source_at(session, document.organization_id, SourceKind.UPLOAD, name)
    if source is None:
        source = SourceRow(organization_id=document.organization_id, kind=SourceKind.UPLOAD, key=name, size=0)
    source.document_id, source.size = document.id, document.size
    session.add(source)


def let_go(session: Session, source: SourceRow) -> None:
    """Another document lies in this place now. The one before may be about to arrive under another name, if it is a
    file: until then its last one is remembered as missing, by a key that no file can have, and goes as those do."""
    if source.kind != SourceKind.FOLDER or source.document_id is None or count_sources(session, source.document_id) > 1:
        drop_source(session, source)
        return
    key = f"/{source.key}"
    while source_at(session, source.organization_id, SourceKind.FOLDER, key) is not None:
        key = f"/{key}"
    source.key, source.place = key, place_of(SourceKind.FOLDER, key)
    session.add(source)
    session.flush()


def found_again(session: Session, document: DocumentRow) -> None:
    """A file of the document arrived: those that were let go are not waited for any longer."""
    let_go_before = select(SourceRow).where(
        SourceRow.document_id == document.id, SourceRow.kind == SourceKind.FOLDER, col(SourceRow.key).startswith("/")
    )
    for source in session.exec(let_go_before).all():
        drop_source(session, source)


def tombstone(session: Session, document: DocumentRow) -> JobRow:
    """Mark as gone, and queue the purge. Files of the watched folder are remembered, so that they do not bring it
    back at the next scan; all other sources are forgotten."""
    cancel_jobs_of(session, document.id, "The document was deleted.", (JobKind.INGEST, JobKind.RELABEL))
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
    document_id, name = source.document_id, _name_of(source)
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
    names = [_name_of(other) for other in rest]
    if document.name == name and name not in names:
        document.name = names[0]
        labels_changed(session, document, UPLOAD_PRIORITY)
    collections = [collection_of(other.key) for other in rest if other.kind == SourceKind.FOLDER]
    if source.kind == SourceKind.FOLDER and collections and document.collection == collection_of(source.key):
        document.collection = collections[0]
        labels_changed(session, document, UPLOAD_PRIORITY)
    return None


def _name_of(source: SourceRow) -> str:
    """What a document is called after this source."""
    return name_of(source.key) if source.kind == SourceKind.WEB else clean_name(source.key)
