"""Vectors of documents into a backup and out of it, by the port: they may come back into another kind of store."""

import base64
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from sqlalchemy import Engine

from ingest_service.documents.versions import Versions, Work
from ingest_service.passages.chunks import renamed, searchable
from shared.embeddings.lexical import LexicalEncoder
from shared.errors import Conflict, Unprocessable
from shared.models import Chunk
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.fingerprint import LAYOUT, Fingerprint
from shared.vector_store.generational_store import GenerationalStore
from shared.vector_store.protocol import EmbeddedChunk

AT_ONCE = 64
FLOAT, FLOAT_BYTES = "f", 4
"""32 bits are what the stores hold."""


@dataclass(frozen=True, slots=True)
class Published:
    """A document as the database says that searches see it."""

    organization_id: UUID
    document_id: UUID
    version: int


class Export:
    """Lines of a backup's vectors. What was republished since the database was read is passed over: whoever restores
    finds it missing, and reads it again.

    All dense vectors are of the generation that was current at the beginning. Another one that takes its place
    meanwhile gives its chunks without theirs, which the ingest service makes after a restore.
    """

    def __init__(self, store: GenerationalStore, documents: Iterable[Published]) -> None:
        self.made_with: Fingerprint = store.fingerprint
        self.documents = self.chunks = 0
        self.missing: list[Published] = []
        """Documents that the store had nothing of, in no version."""
        self._store, self._wanted, self._generation = store, documents, store.number

    @property
    def swapped(self) -> bool:
        """Whether another generation has taken the place of the first."""
        return self._store.number != self._generation

    def __iter__(self) -> Iterator[bytes]:
        for document in self._wanted:
            place = document.organization_id, document.document_id
            dense = self._store.dense_vectors(*place)
            if self.swapped:  # asked after the reading: numbers only change on the way to it
                dense = {}
            stored = self._store.chunks(*place)
            if not stored:
                self.missing.append(document)
            chunks = [chunk for chunk in stored if chunk.version == document.version]
            for chunk in chunks:
                yield _line(chunk, dense.get(chunk.id))
            self.documents += bool(chunks)
            self.chunks += len(chunks)


def require_empty(settings: Settings, organizations: Iterable[UUID]) -> None:
    """Raises `Conflict` if the configured store holds anything of these organizations, `Unavailable` if it cannot be
    opened."""
    with closing(open_store(settings, None)) as store:
        if any(store.count(organization, published=None) for organization in organizations):
            raise Conflict(
                "The vector store holds documents already. Name another collection (STORE__COLLECTION), or another "
                "data folder (XGTWIN_DATA_DIR)."
            )


def put_back(settings: Settings, engine: Engine, made_with: Fingerprint, lines: Iterable[bytes]) -> None:
    """Fill the configured store with the documents that the database, restored before, says are published.

    Lexical vectors are made by today's encoder. Dense ones of another model than EMBEDDER__MODEL are left out: the
    ingest service makes those anew.
    """
    today = made_with.model_copy(update={"lexical": LexicalEncoder().fingerprint, "layout": LAYOUT})
    with closing(open_store(settings, None)) as store:
        store.begin(today)
        store.swap()
        _fill(store, engine, lines)


def require_readable(lines: Iterable[bytes], made_with: Fingerprint) -> None:
    """Raises `Unprocessable` if a line is no chunk with a vector of this length."""
    for line in lines:
        _, dense = _pair(line)
        if dense is not None and len(dense) != made_with.dimension:
            raise Unprocessable(f"A vector has {len(dense)} dimensions, not {made_with.dimension}.")


Pair = tuple[Chunk, tuple[float, ...] | None]


def _fill(store: GenerationalStore, engine: Engine, lines: Iterable[bytes]) -> None:
    versions, encoder = Versions(engine), LexicalEncoder()
    for document_id, pairs in groupby(map(_pair, lines), key=lambda pair: pair[0].document_id):
        work = versions.published_of(document_id)
        if work is None:
            continue
        embedded = [
            EmbeddedChunk(chunk, encoder.passage(searchable(chunk)), dense, work.labels)
            for chunk, dense in _as_named_now(work, list(pairs))
        ]
        for start in range(0, len(embedded), AT_ONCE):
            store.upsert(embedded[start : start + AT_ONCE])
        store.publish(work.organization_id, document_id, work.version)


def _as_named_now(work: Work, pairs: Sequence[Pair]) -> list[Pair]:
    ours = [(chunk, dense) for chunk, dense in pairs if chunk.version == work.version]
    return list(zip(renamed(work, [chunk for chunk, _ in ours]), [dense for _, dense in ours], strict=True))


def _line(chunk: Chunk, dense: Sequence[float] | None) -> bytes:
    vector = None if dense is None else base64.b64encode(struct.pack(f"<{len(dense)}{FLOAT}", *dense)).decode()
    body = {"chunk": chunk.model_dump(mode="json"), "dense": vector}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _pair(line: bytes) -> Pair:
    try:
        body = json.loads(line)
        chunk, dense = Chunk.model_validate(body["chunk"]), body["dense"]
        if dense is None:
            return chunk, None
        packed = base64.b64decode(dense, validate=True)
        return chunk, struct.unpack(f"<{len(packed) // FLOAT_BYTES}{FLOAT}", packed)
    except (ValueError, TypeError, KeyError, RecursionError, struct.error) as error:
        raise Unprocessable("A line of the vectors is no chunk.") from error
