"""The three tables of ingestion: documents, where they come from, and the work on them. Only this service reads them.

Pictures of the states: docs/ingestion.md.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Index, String, text
from sqlmodel import Field

from ingest_service.documents.metadata import day_of
from ingest_service.names import title_of
from shared.db.rows import OwnedRow, UtcDateTime, utc_field
from shared.models import DocumentStatus, Labels


class SourceKind(StrEnum):
    """Where a document came from."""

    FOLDER = "folder"
    """A file of the watched folder; its key is the path inside the folder."""
    UPLOAD = "upload"
    """A file sent to the API; its key is the file name."""
    TEXT = "text"
    """A text sent to the API; its key is the title."""
    WEB = "web"
    """A web page or a file fetched from an address; its key is the canonical address."""


class JobKind(StrEnum):
    """What a job does to its document."""

    INGEST = "ingest"
    """Read, chunk, embed, store and publish one version."""
    RELABEL = "relabel"
    """Write a new name, title or labels into the published chunks: nothing is read, nothing embedded."""
    DELETE = "delete"
    """Purge chunks and bytes of a document that is already marked as gone."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    """Waits for a worker (or, after a failure, for the end of its pause)."""
    RUNNING = "running"
    """A worker holds a lease on it and renews it; at most one job of a document runs at a time."""
    DONE = "done"
    """Ended as it should, which includes finding that there is no text."""
    FAILED = "failed"
    """Ended with the reason in `error`; can be retried by hand."""
    CANCELLED = "cancelled"
    """Ended because somebody, a newer version or a deletion made it pointless."""


AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""For `JobRow.run_after`: no pause, whatever the clock of the host says that adds the job."""
ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})

_LIVE = text(f"deleted_at IS NULL AND status <> '{DocumentStatus.DELETING}'")
_RUNNING = text(f"state = '{JobState.RUNNING}'")


class DocumentRow(OwnedRow, table=True):
    """A document: the newest version that arrived, and which version questions see.

    While version n+1 is worked on, or if it cannot be read, `published_*` still tell of version n.
    """

    __tablename__ = "documents"
    __table_args__ = (
        Index(
            "uq_documents_live_content",
            "organization_id",
            "content_hash",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_documents_status", "status"),
    )

    name: str
    title: str = ""
    """Given by a person, or empty."""
    own_title: str = ""
    """What the document calls itself, or empty."""
    version: int = 1
    content_hash: str
    size: int = Field(sa_type=BigInteger)
    media_type: str
    status: str
    error: str | None = None
    note: str = ""
    """What could not be read although the rest was."""
    language: str | None = None
    """Two letters, told from the text; None while it is not read or too short to tell."""
    collection: str = ""
    pages: int | None = None
    chunks: int = 0
    extra: dict[str, Any] = Field(default_factory=dict, sa_column=Column("metadata", JSON, nullable=False))
    published_version: int | None = None
    published_hash: str | None = None
    updated_at: datetime = utc_field()
    deleted_at: datetime | None = utc_field(nullable=True)

    @property
    def shown_title(self) -> str:
        """The given title, else the document's own, else one made of its name."""
        return self.title or self.own_title or title_of(self.name)

    @property
    def labels(self) -> Labels:
        """What searches are narrowed by. Its day is `metadata.date`, as 2026-05-01, else the day when it first came."""
        try:
            day = day_of(self.extra)
        except ValueError:  # kept before it was refused
            day = None
        day = day or self.created_at.date()
        return Labels(collection=self.collection, language=self.language, day=day, metadata=self.extra)


def place_of(kind: str, key: str) -> str:
    """What tells sources apart: variants of one path in capitals are one place, of an address they are not."""
    return key if kind == SourceKind.WEB else key.casefold()


def _place_in(parameters: Mapping[str, str]) -> str:
    return place_of(parameters["kind"], parameters["key"])


class SourceRow(OwnedRow, table=True):
    """A place that vouches for a document. A folder file that gave none (`document_id` empty) is remembered with the
    reason in `refusal`, so that it is looked at again only after it changed (`size`, `mtime_ns`, `ctime_ns`)."""

    __tablename__ = "sources"
    __table_args__ = (Index("uq_sources_place", "organization_id", "kind", "place", unique=True),)

    document_id: UUID | None = Field(default=None, foreign_key="documents.id", index=True)
    kind: str
    key: str
    place: str = Field(
        default=None,
        sa_column=Column(
            "place",
            String,
            nullable=False,
            default=lambda insert: _place_in(insert.get_current_parameters()),
        ),
    )
    size: int = Field(sa_type=BigInteger)
    mtime_ns: int = Field(default=0, sa_type=BigInteger)
    ctime_ns: int = Field(default=0, sa_type=BigInteger)
    refusal: str | None = None
    etag: str | None = None
    """Of a web source: what the server called this version, for asking whether there is another."""
    last_modified: str | None = None


class JobRow(OwnedRow, table=True):
    """One piece of work on one version of a document. The ledger (ledger.py) is the only writer."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_queue", "state", "organization_id", "priority", "queued_at"),
        Index("ix_jobs_turns", "organization_id", "started_at"),
        Index("uq_jobs_one_running", "document_id", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    )

    document_id: UUID = Field(foreign_key="documents.id", index=True)
    version: int
    kind: str
    state: str = JobState.QUEUED
    priority: int = 0
    stage: str = ""
    done: int = 0
    total: int = 0
    attempts: int = 0
    interruptions: int = 0
    """How often the process that worked on it died; the document is held to blame only after many of them."""
    pauses: int = 0
    """How often it waited for a store or model that did not answer."""
    lease_owner: str | None = None
    lease_until: datetime | None = utc_field(nullable=True)
    queued_at: datetime = utc_field()
    started_at: datetime | None = utc_field(nullable=True)
    """When a worker last took it."""
    run_after: datetime = Field(default=AT_ONCE, sa_type=UtcDateTime, nullable=False)
    """The end of its pause, by the database's clock."""
    cancel_reason: str | None = None
    error: str | None = None
    traceparent: str = ""
    """The span that asked for it, as W3C writes it: whichever process takes the job goes on with its trace."""
    updated_at: datetime = utc_field()
