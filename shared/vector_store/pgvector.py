"""PostgreSQL with pgvector (0.8 or later) by the same port: one table of chunks for each generation.

Every change is one transaction, so a document's new version takes the place of the old one from one moment to the next.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import open_postgres
from shared.errors import Unavailable
from shared.models import Chunk, ScoredChunk
from shared.observability.logs import get_logger
from shared.vector_store import stored_chunk
from shared.vector_store.fingerprint import Fingerprint, require_match
from shared.vector_store.pgvector_requests import query
from shared.vector_store.pgvector_rows import RELABELLED, changing, every, relabelled, row, storing, term
from shared.vector_store.pgvector_tables import generations, make, prepare, tables_of
from shared.vector_store.protocol import EmbeddedChunk, SearchRequest
from shared.vector_store.stored_chunk import Places, Stems

log = get_logger(__name__)

UPSERT_ROWS = 64
WRITING_TIMEOUT_S = 600
"""A chunk takes a few milliseconds to enter the index of dense vectors, and a long document has thousands."""
FOR_SEARCHES = {
    "hnsw.iterative_scan": "strict_order",  # go on until there are enough that the conditions hold for
    "hnsw.ef_search": "100",  # as many as are wanted at least
    "plan_cache_mode": "force_custom_plan",  # a question's words decide which index is worth it
    "enable_seqscan": "off",  # the planner takes comparing arrays for cheap: 55 us a chunk, without the index of words
    "jit": "off",  # takes longer than the search
}


def connect(url: str) -> Engine:
    """An engine; nothing is sent yet."""
    return open_postgres(url, " ".join(f"-c {name}={value}" for name, value in FOR_SEARCHES.items()))


class PgvectorStore:
    """The `VectorStore` port over one generation, which is made if it is absent. The engine becomes the store's own.

    Raises `Unavailable` if the server does not answer or has no pgvector, `Conflict` if the generation was made with
    another fingerprint.
    """

    def __init__(self, engine: Engine, collection: str, number: int, fingerprint: Fingerprint, stems: Stems) -> None:
        self._engine = engine
        self._stems = stems
        self._has_dense = fingerprint.dimension is not None
        self._closed = False
        self._tables = tables_of(collection, number, fingerprint.dimension)
        self._chunks = self._tables.chunks
        quoted = engine.dialect.identifier_preparer.format_table
        self._names = quoted(self._chunks), quoted(self._tables.counts)
        try:
            self._open(collection, number, fingerprint)
        except Exception:
            engine.dispose()
            raise

    def upsert(self, chunks: Sequence[EmbeddedChunk]) -> None:
        for start in range(0, len(chunks), UPSERT_ROWS):
            some = chunks[start : start + UPSERT_ROWS]
            rows = [row(chunk, self._stems, with_dense=self._has_dense) for chunk in some]
            with self._writing(chunk.chunk.document_id for chunk in some) as connection:
                connection.execute(*storing(self._chunks, self._names[0], rows))

    def publish(self, organization_id: UUID, document_id: UUID, version: int) -> None:
        document, of_version = self._document(organization_id, document_id), self._chunks.c.version == version
        shown = update(self._chunks).where(document, of_version, ~self._chunks.c.published).values(published=True)
        # One statement, as every change is: nothing else is waited for once its words are being counted.
        replacing = delete(self._chunks).where(document, ~of_version).add_cte(shown.cte("shown"))
        with self._writing([document_id]) as connection:
            connection.execute(replacing)
        self._merge()

    def relabel(self, chunks: Sequence[EmbeddedChunk]) -> None:
        rows = [relabelled(chunk, self._stems) for chunk in chunks]
        with self._writing(chunk.chunk.document_id for chunk in chunks) as connection:
            connection.execute(*changing(self._names[0], RELABELLED, rows))
        self._merge()

    def delete(self, organization_id: UUID, document_id: UUID) -> None:
        with self._writing([document_id]) as connection:
            connection.execute(delete(self._chunks).where(self._document(organization_id, document_id)))

    def search(self, request: SearchRequest) -> list[ScoredChunk]:
        wanted = query(request, *self._names)
        if wanted is None:
            return []
        with self._reading() as connection:
            found = connection.execute(*wanted).all()
        return [ScoredChunk(chunk=stored_chunk.from_payload(chunk), score=score) for chunk, score in found]

    def term_counts(self, organization_id: UUID, terms: Sequence[str]) -> Mapping[str, int]:
        keys = {term(organization_id, stem): stem for stem in terms}
        counts = self._tables.counts
        with self._reading() as connection:
            found = connection.execute(select(counts).where(counts.c.key.in_(keys))).all()
        return dict.fromkeys(terms, 0) | {keys[key]: n for key, n in found}

    def chunks(self, organization_id: UUID, document_id: UUID) -> list[Chunk]:
        return self._in_order(self._document(organization_id, document_id))

    def dense_vectors(self, organization_id: UUID, document_id: UUID) -> Mapping[UUID, tuple[float, ...]]:
        if not self._has_dense:
            return {}
        columns = self._chunks.c
        unit = func.l2_normalize(columns.dense, type_=columns.dense.type)
        document = self._document(organization_id, document_id)
        there = select(columns.id, unit).where(document, columns.published, columns.dense.is_not(None))
        with self._reading() as connection:
            return {key: tuple(vector) for key, vector in connection.execute(there)}

    def neighbours(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        return [chunk for places in stored_chunk.places_beside(chunks) for chunk in self._in_order(*self._at(places))]

    def count(self, organization_id: UUID, document_id: UUID | None = None, *, published: bool | None = True) -> int:
        columns = self._chunks.c
        if document_id is None and published:
            counting = select(self._tables.counts.c.n).where(self._tables.counts.c.key == every(organization_id))
        else:
            counting = select(func.count()).where(columns.organization_id == organization_id)
            if document_id is not None:
                counting = counting.where(columns.document_id == document_id)
            if published is not None:
                counting = counting.where(columns.published == published)
        with self._reading() as connection:
            return connection.scalar(counting) or 0

    def unembedded(self, limit: int) -> list[Chunk]:
        if not self._has_dense:
            return []
        lacking = select(self._chunks.c.chunk).where(self._chunks.c.dense.is_(None)).limit(limit)
        with self._reading() as connection:
            return [stored_chunk.from_payload(chunk) for chunk in connection.scalars(lacking)]

    def add_dense(self, vectors: Mapping[UUID, tuple[float, ...]]) -> None:
        rows = [{"id": str(key), "dense": vector} for key, vector in vectors.items()]
        columns = self._chunks.c
        with self._reading() as connection:
            documents = connection.scalars(select(columns.document_id).where(columns.id.in_(vectors)).distinct()).all()
        with self._writing(documents) as connection:
            connection.execute(*changing(self._names[0], ["dense"], rows))
        self._merge()

    def ping(self) -> None:
        with self._reading() as connection:
            connection.execute(select(self._chunks.c.id).limit(1))

    def close(self) -> None:
        self._closed = True
        self._engine.dispose()

    def _open(self, collection: str, number: int, fingerprint: Fingerprint) -> None:
        with speaking(), self._engine.begin() as connection:
            prepare(connection)
            there = select(generations.c.fingerprint).filter_by(collection=collection, number=number)
            found = connection.scalar(there)
            if found is None:
                make(connection, self._tables)
                found = fingerprint.model_dump()
                values = {"collection": collection, "number": number, "fingerprint": found}
                connection.execute(insert(generations).values(values))
        require_match(found, fingerprint)

    def _document(self, organization_id: UUID, document_id: UUID) -> ColumnElement[bool]:
        columns = self._chunks.c
        return (columns.organization_id == organization_id) & (columns.document_id == document_id)

    def _at(self, places: Places) -> tuple[ColumnElement[bool], ...]:
        columns = self._chunks.c
        document = self._document(places.organization_id, places.document_id)
        return document, columns.version == places.version, columns.index.in_(places.indices)

    def _in_order(self, *wanted: ColumnElement[bool]) -> list[Chunk]:
        columns = self._chunks.c
        ordered = select(columns.chunk).where(columns.published, *wanted).order_by(columns.index)
        with self._reading() as connection:
            return [stored_chunk.from_payload(chunk) for chunk in connection.scalars(ordered)]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if self._closed:
            raise Unavailable("The vector store was closed.")
        with speaking(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self, documents: Iterable[UUID]) -> Iterator[Connection]:
        with self._patient() as connection:
            for lock in sorted(set(map(self._tables.lock_of, documents))):
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
            yield connection

    def _merge(self) -> None:
        # After the transaction: others wait for it from the moment its words are counted.
        with self._patient() as connection:
            connection.execute(self._tables.merging)

    @contextmanager
    def _patient(self) -> Iterator[Connection]:
        with self._reading() as connection, connection.begin():
            connection.execute(text(f"SET LOCAL statement_timeout = '{WRITING_TIMEOUT_S}s'"))
            yield connection


@contextmanager
def speaking() -> Iterator[None]:
    """Turn the database's errors into ours: the cause for the log, the meaning for the caller."""
    try:
        yield
    except SQLAlchemyError as error:
        log.error("vector_store_failed", store="pgvector", error=str(error))
        raise Unavailable(
            "PostgreSQL does not do what was asked of the vectors; check STORE__PGVECTOR_URL or DATABASE_URL, that it "
            "runs and that it has the extension pgvector. The log says what it answered.",
            retry_after=5,
        ) from error
