"""The product's own retrieval, verdict and answers over a throw-away store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from query_service.answering.citations import Citer
from query_service.answering.extractive import Extractive
from query_service.evidence import EvidenceFinder
from query_service.retrieval.glossary import SHIPPED, read_glossary
from query_service.retrieval.reranking import Reranker
from query_service.retrieval.retriever import Retriever
from query_service.turns import Turns
from query_service.words.terms import WordReader
from shared.embeddings.lexical import LexicalEncoder
from shared.embeddings.protocol import Embedder, Vector
from shared.part_settings import RetrievalSettings, StoreSettings
from shared.settings import QuerySettings, Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.protocol import EmbeddedChunk, VectorStore
from xgtwin.evaluation.sets import Entry


@dataclass(frozen=True, slots=True)
class Library:
    """A filled store and what reads questions; makes the parts of the query service over it, as its bootstrap does."""

    store: VectorStore
    embedder: Embedder | None
    reranker: Reranker | None
    encoder: LexicalEncoder
    reader: WordReader

    def retriever(self, settings: RetrievalSettings, embedder: Embedder | None) -> Retriever:
        """Retrieval with some settings of one's own, by words alone without an embedder."""
        glossary = read_glossary(settings.glossary or SHIPPED, self.reader.words)
        return Retriever(
            self.store,
            lambda: embedder,
            self.encoder,
            self.reader,
            settings,
            glossary=glossary,
            reranker=self.reranker,
        )

    def finder(self, retrieval: RetrievalSettings, query: QuerySettings) -> EvidenceFinder:
        retriever = self.retriever(retrieval, self.embedder)
        return EvidenceFinder(retriever, self.reader, Turns(), min_confidence=query.min_confidence)

    def extractive(self) -> Extractive:
        return Extractive(self.reader, Citer("", self.reader))


@contextmanager
def opened(entries: Sequence[Entry], embedder: Embedder | None, reranker: Reranker | None = None) -> Iterator[Library]:
    """A library of `entries`, gone afterwards; its dense vectors are made here, which takes time on a CPU."""
    encoder = LexicalEncoder()
    vectors = embedder.embed_passages([entry.searchable for entry in entries]) if embedder else None
    with TemporaryDirectory() as folder:
        store = open_store(Settings(data_dir=Path(folder), store=StoreSettings(kind="edge")), embedder)
        try:
            store.upsert(
                [
                    EmbeddedChunk(entry.chunk, encoder.passage(entry.searchable), next(vectors) if vectors else None)
                    for entry in entries
                ]
            )
            for document in {(one.chunk.organization_id, one.chunk.document_id, one.chunk.version) for one in entries}:
                store.publish(*document)
            yield Library(store, embedder, reranker, encoder, WordReader(encoder.stems))
        finally:
            store.close()


class Remembering:
    """An embedder that embeds each text once: the same questions are asked of many configurations."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dimension, self.window = embedder.name, embedder.dimension, embedder.window
        self.count_tokens, self.ping = embedder.count_tokens, embedder.ping
        self._embedder = embedder
        self._questions: dict[str, Vector] = {}
        self._passages: dict[str, Vector] = {}

    def embed_passages(self, texts: Sequence[str]) -> Iterator[Vector]:
        for text in texts:
            if text not in self._passages:
                self._passages[text] = next(iter(self._embedder.embed_passages([text])))
            yield self._passages[text]

    def embed_question(self, text: str) -> Vector:
        if text not in self._questions:
            self._questions[text] = self._embedder.embed_question(text)
        return self._questions[text]
