"""Finding passages: vectors of the question, one search, and a choice that does not repeat itself."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from query_service.retrieval.choice import choose
from query_service.retrieval.definition import opening
from query_service.words.terms import Rarity, Word, WordReader
from shared.embeddings.protocol import Embedder, Vector
from shared.embeddings.readings import ReadingWeights
from shared.errors import Unavailable
from shared.models import Filters, ScoredChunk
from shared.observability.logs import get_logger
from shared.observability.metrics import EMBEDDER_FAILURES
from shared.settings import RetrievalSettings
from shared.vector_store.protocol import SearchRequest, SparseVector, VectorStore

log = get_logger(__name__)


class QuestionEncoder(Protocol):
    """The part of `shared.embeddings.lexical.LexicalEncoder` that questions need."""

    def question(self, text: str, reading: ReadingWeights) -> SparseVector: ...

    def stems(self, text: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought: passages, best first, and the question's content words with their rarity."""

    passages: tuple[ScoredChunk, ...]
    words: tuple[Word, ...]
    rarity: Rarity
    semantic: bool = field(default=False)
    """Whether meaning was searched too: then a passage may be near although it shares no word."""


class Retriever:
    """Synchronous: call from worker threads. Raises `Unavailable` when the store does not answer."""

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder | None,
        encoder: QuestionEncoder,
        reader: WordReader,
        config: RetrievalSettings,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._encoder = encoder
        self._reader = reader
        self._config = config

    def retrieve(self, organization_id: UUID, question: str, top_k: int, filters: Filters | None = None) -> Found:
        """The best passages for a question, at most `top_k`, of the documents that meet the filters."""
        words = self._reader.asked(question)
        dense = self._dense(question)
        hits = self._store.search(
            SearchRequest(
                organization_id=organization_id,
                lex=self._encoder.question(f"{self._reader.topic(question)} {opening(question)}", self._config.reading),
                dense=dense,
                dense_weight=self._config.dense_weight,
                limit=top_k * self._config.oversampling,
                filters=filters or Filters(),
            )
        )
        stems = sorted({word.stem for word in words})
        counts = self._store.term_counts(organization_id, stems) if stems else {}
        rarity = Rarity(counts, self._store.count(organization_id))
        return Found(tuple(choose(hits, top_k, self._config.per_page)), words, rarity, semantic=dense is not None)

    def _dense(self, question: str) -> Vector | None:
        if self._embedder is None:
            return None
        try:
            return self._embedder.embed_question(question)
        except Unavailable as error:  # the words alone still find most of it
            EMBEDDER_FAILURES.inc()
            log.warning("question_not_embedded", detail=error.detail)
            return None
