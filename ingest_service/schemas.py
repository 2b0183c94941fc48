"""The JSON that the ingest API takes and gives. Contracts: clients rely on these names."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingest_service.intake import Admission
from ingest_service.tables import DocumentRow, JobKind, JobRow, JobState, SourceKind, SourceRow
from shared.models import Chunk, DocumentStatus, Frozen

MAX_TEXT_CHARS = 20_000_000


class NewText(BaseModel):
    """A document given as text."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=300)
    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARS)
    metadata: dict[str, Any] = Field(default_factory=dict)


class DocumentChange(BaseModel):
    """What PATCH may change; a missing field stays as it is."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(None, min_length=1, max_length=300)
    metadata: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.title is None and self.metadata is None:
            raise ValueError("give a title, metadata, or both")
        return self


class AdmittedItem(Frozen):
    """What became of one file of a POST. A refused one has no id, status `refused` and the reason in `error`."""

    id: UUID | None
    name: str
    status: str
    job_id: UUID | None
    duplicate: bool
    error: str | None = None

    @classmethod
    def of(cls, admission: Admission) -> Self:
        return cls(
            id=admission.document_id,
            name=admission.name,
            status=admission.status,
            job_id=admission.job_id,
            duplicate=admission.duplicate,
        )


class Admitted(Frozen):
    documents: list[AdmittedItem]


class SourceView(Frozen):
    kind: SourceKind
    key: str


class DocumentView(Frozen):
    """A document. `published_version` is the one that questions see; null while there is none."""

    id: UUID
    name: str
    title: str
    version: int
    content_hash: str
    media_type: str
    size: int
    status: DocumentStatus
    error: str | None
    pages: int | None
    chunks: int
    published_version: int | None
    metadata: dict[str, Any]
    sources: list[SourceView]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: DocumentRow, sources: list[SourceRow]) -> Self:
        return cls(
            **row.model_dump(include=set(cls.model_fields) - {"metadata", "sources"}),
            metadata=row.extra,
            sources=[SourceView(kind=SourceKind(source.kind), key=source.key) for source in sources],
        )


class DocumentPage(Frozen):
    items: list[DocumentView]
    next_cursor: str | None


class Deleted(Frozen):
    """`note` says what the sender should know, such as a file that still lies in the watched folder. Without `job_id`
    the document stays: only one of its sources went."""

    id: UUID
    status: DocumentStatus
    job_id: UUID | None
    note: str


class Progress(Frozen):
    stage: str
    done: int
    total: int


class JobView(Frozen):
    """A job. `status` is the same as `state`, for clients that look for it under that name."""

    id: UUID
    document_id: UUID
    version: int
    kind: JobKind
    state: JobState
    status: JobState
    progress: Progress
    attempts: int
    error: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: JobRow) -> Self:
        return cls(
            **row.model_dump(include=set(cls.model_fields) - {"status", "progress"}),
            status=JobState(row.state),
            progress=Progress(stage=row.stage, done=row.done, total=row.total),
        )


class JobPage(Frozen):
    items: list[JobView]
    next_cursor: str | None


class ChunkList(Frozen):
    """The published chunks of a document, in document order."""

    items: list[Chunk]


class ScanResult(Frozen):
    """What a scan of the watched folder found."""

    files: int
    new_or_changed: int
    deleted: int
    held_back: int
    note: str
