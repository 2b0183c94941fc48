"""Qdrant Edge: the engine of Qdrant inside this process, files in the data folder. With its two neighbours
edge_shard.py and edge_requests.py the only importer of `qdrant_edge`.

What its Python binding (0.9.0) does, and what follows here:
- every call holds the GIL until it is done, so calls never overlap (no lock is needed) and each must be short:
  points are written, published and deleted in small groups, and `optimize()` is never called;
- all its errors are plain `Exception`: the cause goes to the log, the caller gets `Unavailable`;
- `MatchValue(True)` is read as the integer 1 and matches no boolean: there are no booleans in payloads;
- an update is in the write-ahead log when the call returns, so it survives a kill. The log shrinks only at `flush`
  (without: 170 MB and a restart of 9 s after 20,000 chunks).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import qdrant_edge as edge

from shared.models import Chunk, ScoredChunk
from shared.vector_store import shard_folder, stored_chunk
from shared.vector_store.edge_requests import all_of, at, equals, of, query, seen, sparse
from shared.vector_store.edge_shard import create, held, load, speaking
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.protocol import EmbeddedChunk, SearchRequest
from shared.vector_store.stored_chunk import (
    CHUNK_FIELDS,
    DENSE,
    DOCUMENT_ID,
    LEX,
    SHELF,
    TERMS,
    VERSION,
    Stems,
)

UPSERT_POINTS = 64  # 20-40 ms with the GIL held
REVISE_POINTS = 256  # published or deleted at a time: 15 ms
FLUSH_POINTS = 1000  # at most this many are replayed after a kill
PAGE_POINTS = 500

_PointId = int | UUID | str
_update = edge.UpdateOperation


class EdgeVectorStore:
    """The `VectorStore` port over one shard in `folder`, which one process at a time can open.

    Raises `Unavailable` if another process has it, `DamagedVectors` if its files cannot be read, `Conflict` if it was
    made with another fingerprint. A folder that is absent or empty becomes a new shard.
    """

    def __init__(self, folder: Path, fingerprint: Fingerprint, stems: Stems) -> None:
        self._stems = stems
        self._has_dense = fingerprint.dimension is not None
        self._unflushed = 0
        with ExitStack() as stack:
            stack.enter_context(held(folder))
            shard_folder.prepare(folder, fingerprint, lambda path: create(path, fingerprint.dimension))
            self._shard = load(folder)
            self._hold = stack.pop_all()

    def upsert(self, chunks: Sequence[EmbeddedChunk]) -> None:
        for start in range(0, len(chunks), UPSERT_POINTS):
            points = [self._point(chunk) for chunk in chunks[start : start + UPSERT_POINTS]]
            with speaking():
                self._shard.update(_update.upsert_points(points))
            self._unflushed += len(points)
            if self._unflushed >= FLUSH_POINTS:
                self._flush()

    def publish(self, organization_id: UUID, document_id: UUID, version: int) -> None:
        document = equals(DOCUMENT_ID, str(document_id))
        waiting = [equals(SHELF, stored_chunk.hidden(organization_id)), document, equals(VERSION, version)]
        shelf = {SHELF: stored_chunk.published(organization_id)}
        while ids := self._ids(all_of(*waiting)):
            with speaking():
                self._shard.update(_update.set_payload(ids, shelf))
        self._delete(all_of(of(organization_id), document, but_not=equals(VERSION, version)))
        self._flush()

    def relabel(self, chunks: Sequence[EmbeddedChunk]) -> None:
        for start in range(0, len(chunks), UPSERT_POINTS):
            batch = {str(embedded.chunk.id): embedded for embedded in chunks[start : start + UPSERT_POINTS]}
            with speaking():
                # A deletion may have been quicker, and a vector of nothing is an error.
                stored = self._shard.retrieve(list(batch), with_payload=False, with_vector=False)
                found: list[_PointId] = [record.id for record in stored]
                vectors = [edge.PointVectors(key, {LEX: sparse(batch[str(key)].lex)}) for key in found]
                self._shard.update(_update.update_vectors(vectors))
                self._shard.update(_update.set_payload(found, stored_chunk.changeable(next(iter(batch.values())))))
        self._flush()

    def delete(self, organization_id: UUID, document_id: UUID) -> None:
        self._delete(all_of(of(organization_id), equals(DOCUMENT_ID, str(document_id))))
        self._flush()

    def search(self, request: SearchRequest) -> list[ScoredChunk]:
        wanted = query(request)
        if wanted is None:
            return []
        with speaking():
            return [
                ScoredChunk(chunk=stored_chunk.from_payload(point.payload), score=point.score)
                for point in self._shard.query(wanted)
            ]

    def term_counts(self, organization_id: UUID, terms: Sequence[str]) -> Mapping[str, int]:
        waiting = equals(SHELF, stored_chunk.hidden(organization_id))
        anything_hidden = self._count(waiting) > 0
        counts = {}
        for term in set(terms):
            holds = equals(TERMS, stored_chunk.term_id(organization_id, term))
            # All less the hidden, which are few: one condition is 7 times faster than the term and the shelf.
            counts[term] = self._count(holds) - (self._count(holds, waiting) if anything_hidden else 0)
        return counts

    def chunks(self, organization_id: UUID, document_id: UUID) -> list[Chunk]:
        return self._in_order(seen(organization_id, document_id))

    def dense_vectors(self, organization_id: UUID, document_id: UUID) -> Mapping[UUID, tuple[float, ...]]:
        if not self._has_dense:
            return {}
        records = self._records(seen(organization_id, document_id), with_payload=False, with_vector=[DENSE])
        return stored_chunk.dense_by_id(records)

    def neighbours(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        return [chunk for places in stored_chunk.places_beside(chunks) for chunk in self._in_order(at(places))]

    def _in_order(self, wanted: edge.Filter) -> list[Chunk]:
        records = self._records(wanted, with_payload=CHUNK_FIELDS)
        return sorted((stored_chunk.from_payload(each.payload) for each in records), key=lambda chunk: chunk.index)

    def _records(self, wanted: edge.Filter, **shown: Any) -> Iterator[edge.Record]:
        offset: _PointId | None = None
        while True:
            with speaking():
                records, offset = self._shard.scroll(
                    edge.ScrollRequest(filter=wanted, offset=offset, limit=PAGE_POINTS, **shown)
                )
            yield from records
            if offset is None:
                return

    def count(self, organization_id: UUID, document_id: UUID | None = None, *, published: bool | None = True) -> int:
        if document_id is None:
            return sum(self._count(equals(SHELF, shelf)) for shelf in stored_chunk.shelves(organization_id, published))
        return self._count(of(organization_id, published=published), equals(DOCUMENT_ID, str(document_id)))

    def unembedded(self, limit: int) -> list[Chunk]:
        if not self._has_dense:
            return []
        lacking = edge.Filter(must_not=[edge.HasVectorCondition(DENSE)])
        with speaking():
            records, _ = self._shard.scroll(edge.ScrollRequest(filter=lacking, limit=limit, with_payload=CHUNK_FIELDS))
        return [stored_chunk.from_payload(record.payload) for record in records]

    def add_dense(self, vectors: Mapping[UUID, tuple[float, ...]]) -> None:
        with speaking():
            stored = self._shard.retrieve([str(key) for key in vectors], with_payload=False, with_vector=False)
            found = [edge.PointVectors(r.id, {DENSE: list(vectors[UUID(str(r.id))])}) for r in stored]
            self._shard.update(_update.update_vectors(found))
        self._flush()

    def ping(self) -> None:
        with speaking():
            self._shard.info()

    def close(self) -> None:
        with self._hold:
            self._flush()
            with speaking():
                self._shard.close()

    def _point(self, embedded: EmbeddedChunk) -> edge.Point:
        vectors: dict[str, edge.NamedVector] = {LEX: sparse(embedded.lex)}
        if embedded.dense is not None:
            vectors[DENSE] = list(embedded.dense)
        return edge.Point(embedded.chunk.id, vectors, stored_chunk.to_payload(embedded, self._stems))

    def _ids(self, wanted: edge.Filter) -> list[_PointId]:
        with speaking():
            records, _ = self._shard.scroll(edge.ScrollRequest(filter=wanted, limit=REVISE_POINTS, with_payload=False))
        return [record.id for record in records]

    def _delete(self, unwanted: edge.Filter) -> None:
        while ids := self._ids(unwanted):
            with speaking():
                self._shard.update(_update.delete_points(ids))

    def _count(self, *conditions: edge.FieldCondition) -> int:
        # One value's estimate is the length of its list in the index: right, and 0.02 ms against 16 ms of counting
        # 100,000 points. That of several conditions is a guess.
        with speaking():
            return self._shard.count(edge.CountRequest(exact=len(conditions) > 1, filter=all_of(*conditions)))

    def _flush(self) -> None:
        with speaking():
            self._shard.flush()
        self._unflushed = 0
