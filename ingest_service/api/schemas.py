"""The JSON that the ingest API takes and gives. Contracts: clients rely on these names."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ingest_service.documents.arrivals import Admission
from ingest_service.documents.metadata import usable_metadata, without_nul
from ingest_service.names import clean_line
from ingest_service.tables import DocumentRow, JobKind, JobRow, JobState, SourceKind, SourceRow
from shared.models import Chunk, DocumentStatus, Frozen

MAX_TEXT_CHARS = 20_000_000
MAX_COLLECTION_CHARS = 100


def _visible(title: str) -> str:
    if not clean_line(title):
        raise ValueError("there is no visible character in it")
    return title


Sought = Annotated[str, AfterValidator(without_nul)]
Metadata = Annotated[dict[str, Any], AfterValidator(usable_metadata)]
Collection = Annotated[
    str, Field(max_length=MAX_COLLECTION_CHARS, description="A group of documents that searches can be narrowed to.")
]


class NewText(BaseModel):
    """A document given as text."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_visible)]
    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARS)
    collection: Collection = ""
    metadata: Metadata = Field(default_factory=dict)


class NewUrl(BaseModel):
    """A document given as its address; it is fetched before the answer."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=1, max_length=2048)
    title: str = Field("", max_length=300, description="Empty: the page's own title.")
    collection: Collection = ""
    metadata: Metadata = Field(default_factory=dict)


class DocumentChange(BaseModel):
    """What PATCH may change; a missing field stays as it is."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(
        None, max_length=300, description="Empty: the document's own title again, or one made of its name."
    )
    collection: Collection | None = None
    metadata: Metadata | None = Field(None, description="Replaces what was there.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.title is None and self.metadata is None and self.collection is None:
            raise ValueError("give a title, a collection, metadata, or several of them")
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
    """A document. `published_version` is the one that questions see; null while there is none. `note` tells what could
    not be read of it although the rest was."""

    id: UUID
    name: str
    title: str
    version: int
    content_hash: str
    media_type: str
    size: int
    status: DocumentStatus
    error: str | None
    note: str
    language: str | None
    collection: str
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
            **row.model_dump(include=set(cls.model_fields) - {"title", "metadata", "sources"}),
            title=row.shown_title,
            metadata=row.extra,
            sources=[SourceView(kind=SourceKind(source.kind), key=source.key) for source in sources],
        )


class DocumentQuery(BaseModel):
    """What a list of documents is narrowed by; see `Catalogue`."""

    status: str = ""
    name: Sought = Field("", description="A part of the name, in whatever capitals.")
    collection: Sought = ""
    language: Sought = ""
    metadata: list[str] = Field([], description="`key=value`; several times for several.")
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = None


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
