"""The `VectorStore` port: what ingest and query may ask of any store, and what it guarantees.

Contract tests: tests/contract/test_vector_store.py, the same for every adapter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from shared.models import Chunk, Filters, Labels, ScoredChunk


@dataclass(frozen=True, slots=True)
class SparseVector:
    """A sparse vector: `indices` are distinct unsigned 32-bit token ids, `values` their weights, same length."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


Document = tuple[UUID, UUID]
"""Organization and document."""


@dataclass(frozen=True, slots=True)
class EmbeddedChunk:
    """A chunk with its vectors. `dense` is None while no embedding model is present."""

    chunk: Chunk
    lex: SparseVector
    dense: tuple[float, ...] | None = None
    labels: Labels = field(default_factory=Labels)

    @property
    def document(self) -> Document:
        return self.chunk.organization_id, self.chunk.document_id


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One retrieval: `lex` always, `dense` fused in the engine as `lex + dense_weight * cosine` when given."""

    organization_id: UUID
    lex: SparseVector
    dense: tuple[float, ...] | None = None
    dense_weight: float = 5.0
    limit: int = 10
    filters: Filters = field(default_factory=Filters)


class VectorStore(Protocol):
    """Chunks by vector. Synchronous and thread-safe; async callers use a worker thread.

    All calls raise `shared.errors.Unavailable` when the store cannot be reached, and are safe to repeat.
    """

    def upsert(self, chunks: Sequence[EmbeddedChunk]) -> None:
        """Store chunks under their ids, replacing what was there. They stay invisible until `publish`.

        When it returns, the chunks survive the death of the process.
        """
        ...

    def publish(self, organization_id: UUID, document_id: UUID, version: int) -> None:
        """Make this version of the document what searches see, then drop its chunks of all other versions."""
        ...

    def relabel(self, chunks: Sequence[EmbeddedChunk]) -> None:
        """Give stored chunks of one document another file name, title, labels and lexical vector.

        Text and dense vector stay (`dense` is not looked at); visible chunks stay visible all the time. Chunks that are
        not stored are passed over.
        """
        ...

    def delete(self, organization_id: UUID, document_id: UUID) -> None:
        """Drop every chunk of the document, published or not. An unknown document is no error."""
        ...

    def search(self, request: SearchRequest) -> list[ScoredChunk]:
        """The best published chunks, best first, at most `limit`; an empty query vector finds nothing."""
        ...

    def term_counts(self, organization_id: UUID, terms: Sequence[str]) -> Mapping[str, int]:
        """In how many published chunks each term stands (terms as `LexicalEncoder.stems` gives them).

        For weighing a question's words by rarity; counts may be approximate by a few per cent.
        """
        ...

    def chunks(self, organization_id: UUID, document_id: UUID) -> list[Chunk]:
        """All published chunks of a document in document order."""
        ...

    def dense_vectors(self, organization_id: UUID, document_id: UUID) -> Mapping[UUID, tuple[float, ...]]:
        """The dense vectors of a document's published chunks, by chunk id; chunks without one are not among them."""
        ...

    def neighbours(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """The published chunks right before and after each of these, in the same version of its document.

        Each once, in document order within a document; none of `chunks` itself.
        """
        ...

    def count(self, organization_id: UUID, document_id: UUID | None = None, *, published: bool | None = True) -> int:
        """Exact number of chunks; `published=None` counts those not yet visible too."""
        ...

    def unembedded(self, limit: int) -> list[Chunk]:
        """Chunks without a dense vector, of all organizations, published or not; empty if the store holds none at all.

        They are found by their words only, until `add_dense`.
        """
        ...

    def add_dense(self, vectors: Mapping[UUID, tuple[float, ...]]) -> None:
        """Give stored chunks, by id, their dense vector. What is visible stays so; ids not stored are passed over."""
        ...

    def ping(self) -> None:
        """Return if the store answers; raise `Unavailable` with the reason otherwise."""
        ...

    def close(self) -> None:
        """Flush and let go of files and connections. Afterwards the store is not used again."""
        ...
