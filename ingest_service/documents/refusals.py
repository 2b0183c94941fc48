"""Bytes that were refused at the door for what they are: no document came of them, and their senders should know."""

from collections.abc import Mapping
from datetime import timedelta
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import Engine, Index
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select, update

from ingest_service.documents.blobs import hash_of
from ingest_service.parsing.errors import UnreadableDocument
from ingest_service.tables import DocumentRow
from shared.db.rows import OwnedRow, utc_now
from shared.errors import Unavailable, XgtwinError
from shared.models import DocumentStatus

REMEMBERED = timedelta(days=7)
"""Afterwards the bytes get another chance: a newer version may read them, or a limit may have been raised."""
UNANSWERING = (DocumentStatus.QUARANTINED, DocumentStatus.FAILED, DocumentStatus.NO_TEXT)
"""Sending the same bytes again changes nothing about these."""


class RefusalRow(OwnedRow, table=True):
    """Bytes that nobody here can read, and why."""

    __tablename__ = "refusals"
    __table_args__ = (Index("uq_refusals_content", "organization_id", "content_hash", unique=True),)

    content_hash: str
    reason: str


class Refusals:
    """Only sync clients are told of them; whoever sends the bytes all the same has them judged anew. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def remember(self, organization_id: UUID, stream: BinaryIO, reason: str) -> None:
        """Note why these bytes (the stream from its start) were refused. Safe to repeat."""
        content_hash = hash_of(stream)
        same = (col(RefusalRow.organization_id) == organization_id, col(RefusalRow.content_hash) == content_hash)
        with Session(self.engine) as session:
            session.exec(delete(RefusalRow).where(col(RefusalRow.created_at) < utc_now() - REMEMBERED))
            known = session.exec(update(RefusalRow).where(*same).values(reason=reason, created_at=utc_now())).rowcount
            if not known:
                session.add(RefusalRow(organization_id=organization_id, content_hash=content_hash, reason=reason))
            try:
                session.commit()
            except IntegrityError:  # somebody else was refused the same bytes in the same instant
                session.rollback()

    def reasons(self, organization_id: UUID) -> Mapping[str, str]:
        """Reasons by hash."""
        query = select(RefusalRow.content_hash, RefusalRow.reason).where(
            RefusalRow.organization_id == organization_id, col(RefusalRow.created_at) >= utc_now() - REMEMBERED
        )
        with Session(self.engine) as session:
            return dict(session.exec(query).all())


def unread(document: DocumentRow) -> XgtwinError:
    """Why the bytes of this document, which nobody could read (yet), do not take the place of another."""
    if document.status in UNANSWERING:
        return UnreadableDocument(f"The same bytes as {document.name}: {document.error or document.status}")
    return Unavailable(f"The same bytes as {document.name}, which is still being read.")
