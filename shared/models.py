"""The words of the product: what a document, a chunk, a scored chunk and a citation are.

Every service speaks these; the storage forms (table rows, vector payloads) live beside their adapters.
"""

import json
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any
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
    """Ended for a reason that is not the document's: cancelled, or something it needs was away for too long. The reason
    is in `error`, and the job can be retried."""
    QUARANTINED = "quarantined"
    """Set aside with the reason in `error`: these bytes cannot be read, or every attempt at them failed. They are
    remembered by hash and not tried again by themselves; the job can be retried."""
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
    media_type: str = Field("", description="What kind of document it is from, told from its bytes.")
    context: str = Field("", description="What the passage stands under without holding it: the head of a cut table.")


PAGE_IMAGE_TYPES = frozenset(
    {"application/pdf", "image/png", "image/jpeg", "image/tiff", "image/webp", "image/bmp", "image/gif"}
)
"""Kinds of documents whose pages can be shown as images."""


class Labels(Frozen):
    """What searches are narrowed by; the same for all chunks of a document, and changed without new vectors."""

    collection: str = ""
    language: str | None = Field(None, description="Two letters; None when the text is too short to tell.")
    day: date | None = Field(None, description="The document's date.")
    metadata: Mapping[str, Any] = Field(default_factory=dict)


class Filters(Frozen):
    """Which documents a search looks into: every condition must hold, the values of one are alternatives.

    Days are inclusive. Metadata are compared as text; of a list in a document's metadata, one element suffices.
    """

    document_ids: tuple[UUID, ...] = ()
    collections: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    metadata: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    date_from: date | None = None
    date_to: date | None = None


def comparable(value: Any) -> str:
    """A metadata value as filters compare it: strings as they are, all else as JSON writes it (`true`, `3`, `null`)."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


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
    page_image: str = Field(
        "", description="Where it shows the page as an image, the quote marked on it; empty for kinds without pages."
    )
