"""Finding passages: vectors of the question, one search, and a choice that does not repeat itself."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

from query_service.answering.protocol import Surroundings
from query_service.retrieval.best_sentence import BestSentence
from query_service.retrieval.choice import choose
from query_service.retrieval.definition import opening
from query_service.retrieval.glossary import Expansion, Glossary
from query_service.retrieval.reranking import Reranker, reranked
from query_service.retrieval.spelling import repaired
from query_service.retrieval.surroundings import surroundings
from query_service.words.language import language_of
from query_service.words.terms import Rarity, Word, WordReader
from shared.embeddings.protocol import Embedder, Vector
from shared.embeddings.readings import ReadingWeights
from shared.errors import Unavailable
from shared.models import Filters, ScoredChunk
from shared.observability.logs import get_logger
from shared.observability.metrics import EMBEDDER_FAILURES
from shared.observability.traces import span
from shared.part_settings import RetrievalSettings
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
        embedder: Callable[[], Embedder | None],
        encoder: QuestionEncoder,
        reader: WordReader,
        config: RetrievalSettings,
        *,
        glossary: Glossary | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._encoder = encoder
        self._reader = reader
        self._config = config
        self._glossary = glossary or Glossary()
        self._reranker = reranker
        self._best_sentence = BestSentence(reader, config.sentence_weight)

    def retrieve(self, organization_id: UUID, question: str, top_k: int, filters: Filters | None = None) -> Found:
        """The best passages for a question, at most `top_k`, of the documents that meet the filters."""
        dense = self._dense(question)
        found = self._search(organization_id, question, dense, top_k, filters)
        if self._config.repair_typos:
            better = repaired(question, found.words, found.rarity, found.passages, self._reader)
            if better != question:
                found = self._search(organization_id, better, dense, top_k, filters)
        hits = self._best_sentence.order(found.passages, found.words, found.rarity)
        hits = self._reranked(question, hits)
        return replace(found, passages=tuple(choose(hits, top_k, self._config.per_page)))

    def around(self, passages: Sequence[ScoredChunk]) -> tuple[Surroundings, ...]:
        """What stands beside each passage in its document; nothing with RETRIEVAL__NEIGHBOURS=false."""
        return surroundings(passages, self._store) if self._config.neighbours else ()

    def _search(
        self, organization_id: UUID, question: str, dense: Vector | None, top_k: int, filters: Filters | None
    ) -> Found:
        """All hits, not chosen among yet."""
        expansion = self._glossary.expand(self._reader.asked(question), language_of(question))
        stems = sorted({stem for word in expansion.words for way in word.ways for stem in way})
        counts = self._store.term_counts(organization_id, stems) if stems else {}
        rarity = Rarity(counts, self._store.count(organization_id))
        request = SearchRequest(
            organization_id=organization_id,
            lex=self._lexical(question, expansion, rarity),
            dense=dense,
            dense_weight=self._config.dense_weight,
            limit=top_k * self._config.oversampling,
            filters=filters or Filters(),
        )
        with span("search", {"xgtwin.dense": dense is not None}) as searching:
            hits = self._store.search(request)
            searching.note({"xgtwin.hits": len(hits)})
        return Found(tuple(hits), expansion.words, rarity, semantic=dense is not None)

    def _reranked(self, question: str, hits: list[ScoredChunk]) -> list[ScoredChunk]:
        if self._reranker is None or not hits:
            return hits
        config = self._config
        with span("rerank", {"gen_ai.request.model": self._reranker.name}):
            return reranked(question, hits, self._reranker, first=config.rerank_first, deadline_s=config.rerank_s)

    def _lexical(self, question: str, expansion: Expansion, rarity: Rarity) -> SparseVector:
        config = self._config
        text = f"{self._reader.topic(question)} {opening(question)}"
        weighted = [(1.0, self._encoder.question(text, config.reading))]
        for other in expansion.others:
            unknown = any(not rarity.counts.get(stem) for stem in other.instead_of)
            weight = config.glossary_unknown_weight if unknown else config.glossary_weight
            if weight:
                weighted.append((weight, self._encoder.question(other.text, config.reading)))
        return _highest(weighted) if len(weighted) > 1 else weighted[0][1]

    def _dense(self, question: str) -> Vector | None:
        embedder = self._embedder()
        if embedder is None:
            return None
        try:
            with span("embed", {"gen_ai.request.model": embedder.name}):
                return embedder.embed_question(question)
        except Unavailable as error:  # the words alone still find most of it
            EMBEDDER_FAILURES.inc()
            log.warning("question_not_embedded", detail=error.detail)
            return None


def _highest(vectors: Iterable[tuple[float, SparseVector]]) -> SparseVector:
    """One vector with the highest value that a token has in any of the weighted ones."""
    values: dict[int, float] = {}
    for weight, vector in vectors:
        for index, value in zip(vector.indices, vector.values, strict=True):
            values[index] = max(values.get(index, 0.0), weight * value)
    return SparseVector(tuple(values), tuple(values.values()))
