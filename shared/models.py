"""The words of the product: what a document, a chunk, a scored chunk and a citation are.

Every service speaks these; the storage forms (table rows, vector payloads) live beside their adapters.
"""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_ORGANIZATION_ID = UUID("00000000-0000-4000-8000-000000000001")
"""The one organization of an installation that has not created others; every row and chunk carries one."""


class DocumentStatus(StrEnum):
    """Where a document stands on its way into the store. Its picture: docs/ingestion.md."""

    QUEUED = "queued"
    """Accepted; its bytes are safe on disk and a job waits for a worker."""
    PARSING = "parsing"
    """A worker reads pages and cuts them into chunks."""
    EMBEDDING = "embedding"
    """Chunks are being turned into vectors and stored, still invisible to questions."""
    READY = "ready"
    """All chunks are stored and searchable."""
    NO_TEXT = "no_text"
    """Read to the end, but there is not a word in it."""
    FAILED = "failed"
    """The last attempt failed; the reason is in `error` and the job can be retried."""
    QUARANTINED = "quarantined"
    """These bytes failed for good; they are remembered by hash and not tried again by themselves."""
    DELETING = "deleting"
    """Marked as gone; its chunks are no longer retrieved and are being purged."""


PENDING_STATUSES = frozenset({DocumentStatus.QUEUED, DocumentStatus.PARSING, DocumentStatus.EMBEDDING})
"""Statuses of a document that will become searchable without anybody doing anything."""


class Frozen(BaseModel):
    """A value: compared by content, never changed after it is made."""

    model_config = ConfigDict(frozen=True)


class Document(Frozen):
    """A document as other services may know it: identity and state, no bytes."""

    id: UUID
    organization_id: UUID = DEFAULT_ORGANIZATION_ID
    name: str = Field(description="File name or given title, as the user knows it.")
    version: int = Field(1, ge=1, description="Rises when other bytes arrive under the same name.")
    content_hash: str = Field(description="SHA-256 of the bytes, 64 hex digits: the document's identity.")
    status: DocumentStatus


class Chunk(Frozen):
    """A passage that can be found and quoted.

    `text` is an exact slice `[start:end)` (in characters) of the document's canonical text, so a quote
    taken from it is literal. Pages count from 1; a format without pages has None.
    """

    id: UUID
    organization_id: UUID = DEFAULT_ORGANIZATION_ID
    document_id: UUID
    version: int = 1
    filename: str
    title: str
    index: int = Field(ge=0, description="Position in the document, from 0.")
    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    page_start: int | None = Field(None, ge=1)
    page_end: int | None = Field(None, ge=1)
    heading_path: tuple[str, ...] = ()


class ScoredChunk(Frozen):
    """A chunk that a search returned. `score` orders results of one search only; it is no probability."""

    chunk: Chunk
    score: float


class Citation(Frozen):
    """Proof for a sentence of an answer: document, page and a literal excerpt."""

    n: int = Field(ge=1, description="The number that `[n]` in the answer points to.")
    document_id: UUID
    version: int
    title: str
    filename: str
    page_start: int | None
    page_end: int | None
    heading_path: tuple[str, ...]
    quote: str = Field(description="A literal substring of the chunk's text.")
    score: float
    url: str = Field(description="Where the ingest service shows the original bytes of the document.")
