"""The story of a document: job -> parse -> clean -> chunk -> embed -> upsert -> publish -> ready.

Ids of chunks derive from document, version, bytes and chunker; upserts replace; publishing and the status come last.
So a run that died anywhere is repeated from the start and ends as if nothing had happened.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from ingest_service.documents.blobs import Blobs
from ingest_service.documents.versions import Versions, Work
from ingest_service.jobs.ledger import Job, Ledger
from ingest_service.parsing.blocks import ParsedDocument
from ingest_service.passages.canonical import canonical_text
from ingest_service.passages.chunking import passages
from ingest_service.passages.chunks import chunks_of, renamed, searchable, title
from ingest_service.passages.language import language_of
from ingest_service.reading.reader import Reader
from shared.embeddings.model import EmbeddingModel
from shared.embeddings.protocol import Embedder, Vector
from shared.errors import Unavailable
from shared.models import Chunk, DocumentStatus, Labels
from shared.observability.logs import get_logger
from shared.observability.metrics import CHUNKS_STORED, EMBEDDINGS_MADE, INGEST_TROUBLE, STAGE_SECONDS
from shared.observability.traces import span
from shared.vector_store.generational_store import GenerationalStore
from shared.vector_store.protocol import EmbeddedChunk, SparseVector

log = get_logger(__name__)

BATCH = 64
"""Chunks per write: the embedded store holds all threads for as long as one call takes."""


class Lexicon(Protocol):
    """What the pipeline asks of the lexical encoder."""

    def passage(self, text: str) -> SparseVector: ...


class WorkerStopping(Exception):
    """The service shuts down: the job is given back."""


class Pipeline:
    """Runs ingest jobs, one call a job, from any number of threads."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        versions: Versions,
        blobs: Blobs,
        reader: Reader,
        store: GenerationalStore,
        lexicon: Lexicon,
        model: EmbeddingModel,
        forget_bytes: Callable[[str], None],
        stopping: Callable[[], bool],
    ) -> None:
        self.ledger = ledger
        self.versions = versions
        self.blobs = blobs
        self.reader = reader
        self.store = store
        self.lexicon = lexicon
        self.model = model
        self.forget_bytes = forget_bytes
        self.stopping = stopping

    def ingest(self, job: Job) -> DocumentStatus:
        """Take one version from its bytes to `ready` (or `no_text`). Safe to repeat after any interruption.

        Raises `UnreadableDocument`, `ParserDied`, `Unavailable`, `JobCancelled`, `LeaseLost`, `WorkerStopping`.
        """
        work = self.versions.begin(job)
        embedder = self.model.current()
        with self._stage("parsing"):
            parsed = self._parse(job, work)
            canonical = canonical_text(parsed.blocks)
            cut = passages(canonical, window=embedder)
            self.versions.read(job, pages=parsed.pages, note=parsed.note)
        if not cut:
            self.versions.note(job, DocumentStatus.NO_TEXT, _no_text(parsed))
            return DocumentStatus.NO_TEXT
        work, language = self.versions.labelled(job), language_of(canonical.text)
        labels = work.labels.model_copy(update={"language": language})
        with self._stage("embedding"):
            self.versions.note(job, DocumentStatus.EMBEDDING)
            chunks = chunks_of(work, title(work, parsed.title), cut)
            # A run that died just after publishing left them there; to store them again would hide them meanwhile.
            if self.store.chunks(work.organization_id, work.document_id) != chunks:
                self._store(job, chunks, labels, embedder)
            else:
                self._relabel(job, chunks, labels)
        # A version or a deletion that came between the two would make store and ledger tell different stories.
        with self._stage("publishing"), self.blobs.publishing.of(work.document_id):
            self._proceed(job, "publishing", len(cut), len(cut))
            self._publish(job, work, chunks, labels, embedder)
            outdated = self.versions.ready(job, work, own_title=parsed.title, language=language, chunks=len(cut))
        if outdated:
            self.forget_bytes(outdated)
        log.info("document_ready", pages=parsed.pages, chunks=len(cut))
        return DocumentStatus.READY

    def relabel(self, job: Job) -> None:
        """Write the document's present name, title and labels into its published chunks. Safe to repeat.

        Raises `Unavailable`, `JobCancelled`, `LeaseLost`, `WorkerStopping`.
        """
        work = self.versions.labelled(job)
        chunks = renamed(work, self.store.chunks(work.organization_id, work.document_id))
        self._relabel(job, chunks, work.labels)
        log.info("document_relabelled", chunks=len(chunks))

    def _relabel(self, job: Job, chunks: Sequence[Chunk], labels: Labels) -> None:
        for start in range(0, len(chunks), BATCH):
            self._proceed(job, "relabelling", start, len(chunks))
            self.store.relabel(
                [
                    EmbeddedChunk(chunk, self.lexicon.passage(searchable(chunk)), labels=labels)
                    for chunk in chunks[start : start + BATCH]
                ]
            )

    def _publish(
        self, job: Job, work: Work, chunks: Sequence[Chunk], labels: Labels, embedder: Embedder | None
    ) -> None:
        self.store.publish(work.organization_id, work.document_id, work.version)
        if self.store.count(work.organization_id, work.document_id, published=None) == len(chunks):
            return
        # An earlier run of this very version cut it otherwise (another release, a page that was read then and not now).
        log.warning("leftover_chunks_dropped")
        self.store.delete(work.organization_id, work.document_id)
        self._store(job, chunks, labels, embedder)
        self.store.publish(work.organization_id, work.document_id, work.version)

    def _parse(self, job: Job, work: Work) -> ParsedDocument:
        path = self.blobs.existing(work.content_hash)
        return self.reader.read(
            path,
            work.content_hash,
            work.media_type,
            lambda stage, done, total: self._proceed(job, stage, done, total),
        )

    def _store(self, job: Job, chunks: Sequence[Chunk], labels: Labels, embedder: Embedder | None) -> None:
        if embedder is not None and not self.store.wants(embedder):
            embedder = None  # a generation for it is not begun yet: whoever fills that embeds
        for start in range(0, len(chunks), BATCH):
            self._proceed(job, "embedding", start, len(chunks))
            batch = chunks[start : start + BATCH]
            embedded = self._embedded(batch, labels, embedder)
            if embedder is not None and embedded[-1].dense is None:
                embedder = None  # it does not answer, and would be waited for at each batch
            # Embedding may have outlasted the lease: what comes after a purge, or after the publishing of another
            # worker, would stay for ever, or hide what that published.
            with self.blobs.publishing.of(job.document_id):
                self._proceed(job, "embedding", start, len(chunks))
                self.store.upsert(embedded)
            CHUNKS_STORED.inc(len(batch))

    def _embedded(self, chunks: Sequence[Chunk], labels: Labels, embedder: Embedder | None) -> Sequence[EmbeddedChunk]:
        texts = [searchable(chunk) for chunk in chunks]
        dense = self._dense(texts, embedder)
        return [
            EmbeddedChunk(chunk, self.lexicon.passage(text), vector, labels)
            for chunk, text, vector in zip(chunks, texts, dense, strict=True)
        ]

    def _dense(self, texts: Sequence[str], embedder: Embedder | None) -> Sequence[Vector | None]:
        """A document is found by its words before it waits for a model; the filler gives it the vectors later."""
        vectors: list[Vector] = []
        try:
            for vector in embedder.embed_passages(texts) if embedder else ():
                EMBEDDINGS_MADE.inc()
                vectors.append(vector)
        except Unavailable as error:
            INGEST_TROUBLE.labels("embedding").inc()
            log.warning("passages_not_embedded", reason=error.detail)
        return [*vectors, *[None] * (len(texts) - len(vectors))]

    def _proceed(self, job: Job, stage: str, done: int, total: int) -> None:
        """Between two steps: say how far the job is, and stop if it is no longer wanted."""
        if self.stopping():
            raise WorkerStopping
        self.ledger.progress(job, stage, done, total)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        with span(name):
            yield
        STAGE_SECONDS.labels(name).observe(time.perf_counter() - started)


def _no_text(parsed: ParsedDocument) -> str:
    if parsed.pages:
        pages = "its one page" if parsed.pages == 1 else f"its {parsed.pages} pages"
        return parsed.note or f"There is no text on {pages}, neither written nor in images."
    return parsed.note or "There is not a word in it."
