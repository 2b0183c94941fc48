"""The stores under contract, and chunks to put into them."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import pytest
from qdrant_client import QdrantClient

from shared.embeddings.lexical import LexicalEncoder
from shared.models import DEFAULT_ORGANIZATION_ID, Chunk, Filters, Labels
from shared.vector_store import pgvector
from shared.vector_store.edge import EdgeVectorStore
from shared.vector_store.edge_generations import EdgeGenerations
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.generational_store import GenerationalStore
from shared.vector_store.pgvector import PgvectorStore
from shared.vector_store.protocol import EmbeddedChunk, SearchRequest, VectorStore
from shared.vector_store.qdrant import QdrantVectorStore
from shared.vector_store.qdrant_connection import connect

ENCODER = LexicalEncoder()
FINGERPRINT = Fingerprint(lexical=ENCODER.fingerprint, model="test/four", dimension=4)
ORGANIZATION = DEFAULT_ORGANIZATION_ID

Opener = Callable[[Fingerprint], VectorStore]
NewDatabase = Callable[[], str]
"""Makes an empty PostgreSQL database and returns its URL."""


@dataclass
class Installation:
    """One place where vectors are kept; opening it again finds what was stored."""

    opener: Opener
    _opened: list[VectorStore] = field(default_factory=list)

    def open(self, fingerprint: Fingerprint = FINGERPRINT) -> VectorStore:
        store = self.opener(fingerprint)
        self._opened.append(store)
        return store

    def reopen(self, fingerprint: Fingerprint = FINGERPRINT) -> VectorStore:
        self.close()
        return self.open(fingerprint)

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()


def edge_installation(folder: Path) -> Installation:
    return Installation(lambda fingerprint: EdgeVectorStore(folder / "vectors" / "test", fingerprint, ENCODER.stems))


def generations_installation(folder: Path) -> Installation:
    """What the services hold: the store over the current generation of the embedded ones."""

    def opener(fingerprint: Fingerprint) -> VectorStore:
        generations = EdgeGenerations(folder / "vectors" / "test", ENCODER.stems)
        return GenerationalStore(generations, fingerprint, fingerprint.model)

    return Installation(opener)


def qdrant_local_installation(folder: Path) -> Installation:
    """qdrant-client's own in-process engine: the server's requests, answered without a server."""

    def opener(fingerprint: Fingerprint) -> VectorStore:
        return QdrantVectorStore(QdrantClient(path=str(folder)), "test", fingerprint, ENCODER.stems)

    return Installation(opener)


def qdrant_server_installation(_: Path) -> Installation:
    url = os.environ.get("QDRANT_URL")
    if not url:
        pytest.skip("opt-in: set QDRANT_URL to run the contract against a Qdrant server")
    collection = f"contract-{uuid4().hex[:12]}"
    return Installation(
        lambda fingerprint: QdrantVectorStore(
            connect(url, os.environ.get("QDRANT_API_KEY")), collection, fingerprint, ENCODER.stems
        )
    )


def pgvector_installation(url: str) -> Installation:
    return Installation(lambda fingerprint: PgvectorStore(pgvector.connect(url), "test", 1, fingerprint, ENCODER.stems))


INSTALLATIONS = {
    "edge": edge_installation,
    "generations": generations_installation,
    "qdrant-local": qdrant_local_installation,
    "qdrant-server": qdrant_server_installation,
}


def document(*texts: str, name: str = "doc", version: int = 1, organization: UUID = ORGANIZATION) -> list[Chunk]:
    """The chunks of a document; the same arguments give the same ids."""
    document_id = uuid5(organization, name)
    starts = [sum(len(text) + 2 for text in texts[:index]) for index in range(len(texts))]
    return [
        Chunk(
            id=uuid5(document_id, f"{version}/{index}"),
            organization_id=organization,
            document_id=document_id,
            version=version,
            filename=f"{name}.pdf",
            title=name.title(),
            index=index,
            text=text,
            start=start,
            end=start + len(text),
            page_start=index + 1,
            page_end=index + 1,
            heading_path=("Capítulo 1", f"Seção {index}"),
        )
        for index, (text, start) in enumerate(zip(texts, starts, strict=True))
    ]


def embedded(
    chunks: list[Chunk], dense: list[tuple[float, ...]] | None = None, labels: Labels | None = None
) -> list[EmbeddedChunk]:
    vectors: list[tuple[float, ...] | None] = [*dense] if dense else [None] * len(chunks)
    return [
        EmbeddedChunk(chunk, ENCODER.passage(chunk.text), vector, labels or Labels())
        for chunk, vector in zip(chunks, vectors, strict=True)
    ]


def ingest(store: VectorStore, chunks: list[Chunk], dense: list[tuple[float, ...]] | None = None) -> UUID:
    """Store and publish one document; its id."""
    store.upsert(embedded(chunks, dense))
    first = chunks[0]
    store.publish(first.organization_id, first.document_id, first.version)
    return first.document_id


def ask(
    question: str,
    *,
    organization: UUID = ORGANIZATION,
    dense: tuple[float, ...] | None = None,
    dense_weight: float = 5.0,
    limit: int = 10,
    filters: Filters | None = None,
) -> SearchRequest:
    return SearchRequest(organization, ENCODER.question(question), dense, dense_weight, limit, filters or Filters())


def texts(store: VectorStore, request: SearchRequest) -> list[str]:
    return [found.chunk.text for found in store.search(request)]
