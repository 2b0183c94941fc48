"""One published document into the next generation: its chunks as they are, or read and cut again where need be."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from ingest_service.documents.blobs import Blobs
from ingest_service.documents.versions import Versions, Work
from ingest_service.parsing.errors import ParserDied, UnreadableDocument
from ingest_service.passages.canonical import canonical_text
from ingest_service.passages.chunking import passages
from ingest_service.passages.chunks import chunk_id, chunks_of, renamed, searchable, title
from ingest_service.reading.reader import Reader
from shared.embeddings.lexical import LexicalEncoder
from shared.embeddings.local import SAMPLE
from shared.embeddings.protocol import Embedder, Vector
from shared.errors import NotFound, Unavailable
from shared.models import Chunk
from shared.observability.logs import get_logger
from shared.observability.metrics import EMBEDDINGS_MADE, FILL_TROUBLE
from shared.vector_store.generation import Generation
from shared.vector_store.generational_store import GenerationalStore
from shared.vector_store.protocol import EmbeddedChunk, VectorStore

log = get_logger(__name__)

Proceed = Callable[[], None]

BATCH = 16
"""Chunks embedded between two looks at whether somebody else needs the processor: about a second."""


@dataclass(frozen=True)
class Copier:
    """Every call takes `proceed`, which is called between two steps: it waits while others have work, and raises to
    stop."""

    store: GenerationalStore
    versions: Versions
    blobs: Blobs
    reader: Reader
    lexicon: LexicalEncoder
    refused: set[UUID] = field(default_factory=set)
    """Chunks that the embedder does not take: they are found by their words, and not tried again by this process."""

    def copy(self, work: Work, following: Generation, embedder: Embedder | None, proceed: Proceed) -> int | None:
        """Make the next generation hold the published version whole; how many chunks it has there.

        None if the document changed meanwhile, so that it has to be looked at again. What is there already is not
        made again. Raises `Unavailable` when a store or the embedding server does not answer.
        """
        present = self.store.chunks(work.organization_id, work.document_id)
        there = following.store.chunks(work.organization_id, work.document_id)
        if _usable(work, present, embedder):
            wanted = renamed(work, present)
        elif _usable(work, there, embedder):
            wanted = renamed(work, there)
        else:
            wanted = self._read_again(work, present, embedder, proceed)
        if there == wanted:
            # Its labels may have changed while nobody held the next generation open.
            for batch in _batches(wanted):
                with self._unswapped(work, following):
                    following.store.relabel(self._embedded(work, batch, None))
            return len(wanted)
        for batch in _batches(wanted):
            embedded = self._embedded(work, batch, embedder)
            proceed()  # after what takes long: it also tells whether this process still leads
            with self._unswapped(work, following):
                following.store.upsert(embedded)
        return self._publish(work, following, len(wanted))

    def repair(self, store: VectorStore, embedder: Embedder, proceed: Proceed) -> bool:
        """Embed some of the chunks that have no dense vector; False when there are none left."""
        proceed()
        lacking = self.lacking(store)
        vectors = self._vectors(lacking, embedder)
        made = {chunk.id: vector for chunk, vector in zip(lacking, vectors, strict=True) if vector is not None}
        if made:
            store.add_dense(made)
        return bool(lacking)

    def lacking(self, store: VectorStore) -> list[Chunk]:
        """Some of the chunks that have no dense vector and might get one."""
        found = store.unembedded(BATCH + len(self.refused))
        return [chunk for chunk in found if chunk.id not in self.refused][:BATCH]

    def _vectors(self, chunks: Sequence[Chunk], embedder: Embedder) -> list[Vector | None]:
        """None for a text that the embedder does not take. Raises `Unavailable` when it takes none at all."""
        try:
            vectors = list(embedder.embed_passages([searchable(chunk) for chunk in chunks]))
        except Unavailable as error:
            embedder.embed_question(SAMPLE)
            if len(chunks) > 1:
                return [vector for chunk in chunks for vector in self._vectors([chunk], embedder)]
            FILL_TROUBLE.inc()
            log.warning("passage_refused", document_id=str(chunks[0].document_id), reason=error.detail)
            self.refused.add(chunks[0].id)
            return [None]
        EMBEDDINGS_MADE.inc(len(vectors))
        return [*vectors]

    def _publish(self, work: Work, following: Generation, count: int) -> int | None:
        document = (work.organization_id, work.document_id)
        with self._unswapped(work, following):
            if self.versions.published_of(work.document_id) != work:
                following.store.delete(*document)
                return None
            following.store.publish(*document, work.version)
            if following.store.count(*document, published=None) == count:
                return count
            # An earlier run cut this version otherwise; its chunks would stay beside these.
            following.store.delete(*document)
            return None

    @contextmanager
    def _unswapped(self, work: Work, following: Generation) -> Iterator[None]:
        """No process makes the next generation current meanwhile, so what is written there reaches no search. Raises
        `Unavailable` if one did so before."""
        with self.blobs.publishing.of(work.document_id):
            self.store.require_next(following)
            yield

    def _embedded(self, work: Work, chunks: Sequence[Chunk], embedder: Embedder | None) -> list[EmbeddedChunk]:
        texts = [searchable(chunk) for chunk in chunks]
        vectors = self._vectors(chunks, embedder) if embedder else [None] * len(texts)
        return [
            EmbeddedChunk(chunk, self.lexicon.passage(text), vector, work.labels)
            for chunk, text, vector in zip(chunks, texts, vectors, strict=True)
        ]

    def _read_again(
        self, work: Work, present: Sequence[Chunk], embedder: Embedder | None, proceed: Proceed
    ) -> list[Chunk]:
        """From the kept bytes, cut as today; the chunks as they are if that gives nothing any more."""
        if present:  # the row tells the kind of the newest bytes, which may be ones that nobody could read
            work = replace(work, media_type=present[0].media_type)
        try:
            path = self.blobs.existing(work.content_hash)
            parsed = self.reader.read(path, work.content_hash, work.media_type, lambda *_: proceed())
        except (UnreadableDocument, ParserDied, NotFound) as error:
            FILL_TROUBLE.inc()
            log.warning("document_not_read_again", document_id=str(work.document_id), reason=str(error))
            return renamed(work, present)
        cut = passages(canonical_text(parsed.blocks), window=embedder)
        if not cut:  # it had text when it was published: a reader is missing today
            FILL_TROUBLE.inc()
            log.warning("document_read_again_is_empty", document_id=str(work.document_id), note=parsed.note)
            return renamed(work, present)
        return chunks_of(work, title(work, parsed.title), cut)


def _batches(chunks: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
    return (chunks[start : start + BATCH] for start in range(0, len(chunks), BATCH))


def _usable(work: Work, chunks: Sequence[Chunk], embedder: Embedder | None) -> bool:
    """Whether these chunks are what today's chunker would cut: all of them, its ids, and none longer than the model
    reads, which would cut the rest off without a word."""
    return bool(chunks) and all(
        chunk.id == chunk_id(work, index)
        and (embedder is None or embedder.count_tokens(searchable(chunk)) <= embedder.window)
        for index, chunk in enumerate(chunks)
    )
