"""What is remembered of the files of the watched folder: the rows of their sources, by key."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy
from sqlalchemy import ColumnElement, Engine
from sqlmodel import Session, col, select

from ingest_service.documents.intake import Intake
from ingest_service.documents.lifecycle import (
    DELETED_BY_REQUEST,
    FOLDER_PRIORITY,
    collection_of,
    labels_changed,
    live_document,
    source_at,
)
from ingest_service.names import clean_name
from ingest_service.tables import DocumentRow, SourceKind, SourceRow
from ingest_service.watched_folder.opening import FileState
from shared.models import DEFAULT_ORGANIZATION_ID

_OURS = (col(SourceRow.kind) == SourceKind.FOLDER, col(SourceRow.organization_id) == DEFAULT_ORGANIZATION_ID)


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as it was when it was last taken, and the document it gave; or why it gave none."""

    source_id: UUID
    state: FileState
    document_id: UUID | None
    refusal: str | None

    @property
    def matters(self) -> bool:
        """Whether anything is lost if it is forgotten: a document, or that its document was deleted on purpose."""
        return self.document_id is not None or self.refusal == DELETED_BY_REQUEST

    def unchanged(self, state: FileState) -> bool:
        """Whether a file in this state need not be read."""
        if self.refusal == DELETED_BY_REQUEST:
            # A new owner or permission changes the change time; it must not bring a deleted document back.
            return self.state[:2] == state[:2]
        return self.state == state


def known_files(engine: Engine) -> dict[str, KnownFile]:
    """All files that are remembered, by key."""
    return _read(engine)


def known_file(engine: Engine, key: str) -> KnownFile | None:
    """What is remembered of one file."""
    return _read(engine, col(SourceRow.key) == key).get(key)


def vouched_elsewhere(engine: Engine) -> set[UUID]:
    """Documents that do not come from the folder alone."""
    query = select(SourceRow.document_id).where(
        SourceRow.kind != SourceKind.FOLDER, SourceRow.organization_id == DEFAULT_ORGANIZATION_ID
    )
    with Session(engine) as session:
        return {document_id for document_id in session.exec(query) if document_id}


def content_hashes(engine: Engine, document_ids: set[UUID]) -> dict[UUID, str]:
    """The hash of the newest bytes of some documents."""
    query = select(DocumentRow.id, DocumentRow.content_hash).where(col(DocumentRow.id).in_(document_ids))
    with Session(engine) as session:
        return dict(session.exec(query).all())


def remember_refusal(engine: Engine, key: str, state: FileState, reason: str) -> None:
    """So that the file is looked at again only when it changed. A document that it gave before stays until there is a
    readable next version: the file may be half written."""
    with Session(engine) as session:
        row = source_at(session, DEFAULT_ORGANIZATION_ID, SourceKind.FOLDER, key)
        row = row or SourceRow(kind=SourceKind.FOLDER, key=key, size=0)
        row.size, row.mtime_ns, row.ctime_ns = state
        row.key, row.refusal = key, reason
        session.add(row)
        session.commit()


def respell(intake: Intake, source_id: UUID, key: str) -> None:
    """The same path is written differently now (`GUIA.pdf` for `guia.pdf`): its document goes by the new spelling."""
    with intake.blobs.changing, Session(intake.engine) as session:
        source = session.get(SourceRow, source_id)
        if source is None:
            return
        before, source.key = source.key, key
        session.add(source)
        document = live_document(session, source.organization_id, source.document_id) if source.document_id else None
        if document is not None:
            if document.name == clean_name(before):
                document.name = clean_name(key)
            if document.collection == collection_of(before):
                document.collection = collection_of(key)
            labels_changed(session, document, FOLDER_PRIORITY)
        session.commit()
    intake.wake()


def _read(engine: Engine, *where: ColumnElement[bool]) -> dict[str, KnownFile]:
    # Columns instead of objects: this is read every few seconds, for as many files as there are.
    query = sqlalchemy.select(
        col(SourceRow.key),
        col(SourceRow.id),
        col(SourceRow.size),
        col(SourceRow.mtime_ns),
        col(SourceRow.ctime_ns),
        col(SourceRow.document_id),
        col(SourceRow.refusal),
    ).where(*_OURS, *where)
    with engine.connect() as connection:
        return {
            key: KnownFile(source_id, FileState(size, mtime_ns, ctime_ns), document_id, refusal)
            for key, source_id, size, mtime_ns, ctime_ns, document_id, refusal in connection.execute(query)
        }
