"""A Qdrant server (or cluster) by the same port. With the modules qdrant_* the only importer of `qdrant_client`.

The fingerprint is the collection's metadata, written by the same request that makes the collection, with the name of
the installation that it is of: others may use the server too. Compare edge.py: same points, same requests; here filters
revise whole documents in one call, since the server freezes nobody.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from shared.errors import XgtwinError
from shared.models import Chunk, ScoredChunk
from shared.vector_store import stored_chunk
from shared.vector_store.fingerprint import Fingerprint, require_match
from shared.vector_store.protocol import EmbeddedChunk, SearchRequest
from shared.vector_store.qdrant_connection import speaking
from shared.vector_store.qdrant_requests import all_of, at, equals, of, query, seen, sparse
from shared.vector_store.stored_chunk import (
    CHUNK_FIELDS,
    DAY,
    DENSE,
    DOCUMENT_ID,
    LABELS,
    LEX,
    SHELF,
    TERMS,
    VERSION,
    Stems,
)

UPSERT_POINTS = 64  # about 1 MB of JSON
PAGE_POINTS = 500
OWNER = "xgtwin"
"""Member of a collection's metadata: whose generation it is."""

INDEXES: Mapping[str, models.KeywordIndexParams | models.IntegerIndexParams] = {
    SHELF: models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD),
    DOCUMENT_ID: models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD),
    LABELS: models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD),
    DAY: models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, lookup=False, range=True),
    TERMS: models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, lookup=True, range=False),
    VERSION: models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, lookup=True, range=False),
}


class QdrantVectorStore:
    """The `VectorStore` port over one collection, which is made if it is absent. The client becomes the store's own.
    `owner` is noted with a collection that is made; without one it is nobody's generation.

    Raises `Unavailable` if the server does not answer, `Conflict` if the collection was made with another fingerprint.
    """

    def __init__(
        self, client: QdrantClient, collection: str, fingerprint: Fingerprint, stems: Stems, owner: str | None = None
    ) -> None:
        self._client = client
        self._collection = collection
        self._stems = stems
        self._has_dense = fingerprint.dimension is not None
        try:
            _open(client, collection, fingerprint, owner)
        except XgtwinError:
            client.close()
            raise

    def upsert(self, chunks: Sequence[EmbeddedChunk]) -> None:
        for start in range(0, len(chunks), UPSERT_POINTS):
            points = [self._point(chunk) for chunk in chunks[start : start + UPSERT_POINTS]]
            with speaking():
                self._client.upsert(self._collection, points, wait=True)

    def publish(self, organization_id: UUID, document_id: UUID, version: int) -> None:
        document = equals(DOCUMENT_ID, str(document_id))
        waiting = all_of(equals(SHELF, stored_chunk.hidden(organization_id)), document, equals(VERSION, version))
        others = all_of(of(organization_id), document, but_not=equals(VERSION, version))
        shelf = {SHELF: stored_chunk.published(organization_id)}
        with speaking():
            self._client.set_payload(self._collection, shelf, points=waiting, wait=True)
            self._client.delete(self._collection, models.FilterSelector(filter=others), wait=True)

    def relabel(self, chunks: Sequence[EmbeddedChunk]) -> None:
        for start in range(0, len(chunks), UPSERT_POINTS):
            batch = {str(embedded.chunk.id): embedded for embedded in chunks[start : start + UPSERT_POINTS]}
            with speaking():
                found = [str(record.id) for record in self._client.retrieve(self._collection, list(batch), False)]
                if not found:
                    continue
                vectors = [models.PointVectors(id=key, vector={LEX: sparse(batch[key].lex)}) for key in found]
                self._client.update_vectors(self._collection, vectors, wait=True)
                changed = stored_chunk.changeable(next(iter(batch.values())))
                self._client.set_payload(self._collection, changed, points=list(found), wait=True)

    def delete(self, organization_id: UUID, document_id: UUID) -> None:
        unwanted = all_of(of(organization_id), equals(DOCUMENT_ID, str(document_id)))
        with speaking():
            self._client.delete(self._collection, models.FilterSelector(filter=unwanted), wait=True)

    def search(self, request: SearchRequest) -> list[ScoredChunk]:
        wanted = query(request)
        if wanted is None:
            return []
        with speaking():
            found = self._client.query_points(
                self._collection, limit=request.limit, with_payload=CHUNK_FIELDS, **wanted
            ).points
        return [ScoredChunk(chunk=stored_chunk.from_payload(point.payload), score=point.score) for point in found]

    def term_counts(self, organization_id: UUID, terms: Sequence[str]) -> Mapping[str, int]:
        waiting = equals(SHELF, stored_chunk.hidden(organization_id))
        anything_hidden = self._count(waiting) > 0
        counts = {}
        for term in set(terms):
            holds = equals(TERMS, stored_chunk.term_id(organization_id, term))
            counts[term] = self._count(holds) - (self._count(holds, waiting) if anything_hidden else 0)
        return counts

    def chunks(self, organization_id: UUID, document_id: UUID) -> list[Chunk]:
        return self._in_order(seen(organization_id, document_id))

    def dense_vectors(self, organization_id: UUID, document_id: UUID) -> Mapping[UUID, tuple[float, ...]]:
        if not self._has_dense:
            return {}
        records = self._records(seen(organization_id, document_id), with_payload=False, with_vectors=[DENSE])
        return stored_chunk.dense_by_id(records)

    def neighbours(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        return [chunk for places in stored_chunk.places_beside(chunks) for chunk in self._in_order(at(places))]

    def _in_order(self, wanted: models.Filter) -> list[Chunk]:
        records = self._records(wanted, with_payload=CHUNK_FIELDS)
        return sorted((stored_chunk.from_payload(each.payload) for each in records), key=lambda chunk: chunk.index)

    def _records(self, wanted: models.Filter, **shown: Any) -> Iterator[models.Record]:
        offset: Any = None
        while True:
            with speaking():
                records, offset = self._client.scroll(
                    self._collection, wanted, limit=PAGE_POINTS, offset=offset, **shown
                )
            yield from records
            if offset is None:
                return

    def count(self, organization_id: UUID, document_id: UUID | None = None, *, published: bool | None = True) -> int:
        document = [] if document_id is None else [equals(DOCUMENT_ID, str(document_id))]
        return self._count(of(organization_id, published=published), *document)

    def unembedded(self, limit: int) -> list[Chunk]:
        if not self._has_dense:
            return []
        lacking = models.Filter(must_not=[models.HasVectorCondition(has_vector=DENSE)])
        with speaking():
            records, _ = self._client.scroll(self._collection, lacking, limit=limit, with_payload=CHUNK_FIELDS)
        return [stored_chunk.from_payload(record.payload) for record in records]

    def add_dense(self, vectors: Mapping[UUID, tuple[float, ...]]) -> None:
        with speaking():
            stored = self._client.retrieve(self._collection, [str(key) for key in vectors], with_payload=False)
            found = [
                models.PointVectors(id=record.id, vector={DENSE: list(vectors[UUID(str(record.id))])})
                for record in stored
            ]
            if found:
                self._client.update_vectors(self._collection, found, wait=True)

    def ping(self) -> None:
        with speaking():
            self._client.get_collection(self._collection)

    def close(self) -> None:
        self._client.close()

    def _point(self, embedded: EmbeddedChunk) -> models.PointStruct:
        vectors: dict[str, Any] = {LEX: sparse(embedded.lex)}
        if embedded.dense is not None:
            vectors[DENSE] = list(embedded.dense)
        payload = stored_chunk.to_payload(embedded, self._stems)
        return models.PointStruct(id=str(embedded.chunk.id), vector=vectors, payload=payload)

    def _count(self, *conditions: models.FieldCondition) -> int:
        with speaking():
            return self._client.count(self._collection, count_filter=all_of(*conditions), exact=True).count


def owner_and_fingerprint(client: QdrantClient, collection: str) -> tuple[object, Mapping[str, Any]]:
    """Whose a collection says it is (None: it does not), and what it says its vectors were made with, as read."""
    with speaking():
        there = client.collection_exists(collection)
        metadata = client.get_collection(collection).config.metadata if there else None
    rest = dict(metadata or {})
    return rest.pop(OWNER, None), rest


def _open(client: QdrantClient, collection: str, fingerprint: Fingerprint, owner: str | None) -> None:
    with speaking():
        if not client.collection_exists(collection):
            _create(client, collection, fingerprint, {} if owner is None else {OWNER: owner})
    require_match(owner_and_fingerprint(client, collection)[1], fingerprint)
    with speaking():  # repeated at each start: whoever made the collection may have been killed before
        for field, index in INDEXES.items():
            client.create_payload_index(collection, field, index, wait=True)


def _create(client: QdrantClient, collection: str, fingerprint: Fingerprint, owner: Mapping[str, str]) -> None:
    dense = {}
    if fingerprint.dimension is not None:
        dense[DENSE] = models.VectorParams(size=fingerprint.dimension, distance=models.Distance.COSINE)
    try:
        client.create_collection(
            collection,
            vectors_config=dense,
            sparse_vectors_config={LEX: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            metadata={**fingerprint.model_dump(), **owner},
        )
    except UnexpectedResponse as error:
        if error.status_code != 409:  # 409: the other service, starting at the same time, was first
            raise
