"""What is known before an answer is written: the passages, and whether they hold what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from query_service.answering.protocol import AnswerRequest
from query_service.conversations.store import Turn
from query_service.events import Reason
from query_service.retrieval.retriever import Found, Retriever
from query_service.turns import Turns
from query_service.verdict import Verdict, judge
from query_service.words.language import language_of
from query_service.words.small_talk import small_talk
from query_service.words.terms import Weights, WordReader, weigh
from shared.models import Filters, ScoredChunk

CARRIED_WEIGHT = 0.5
"""Weight of words that only the stand-alone form of a question has beside its own, when sentences are chosen."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A question with its passages and the verdict on them."""

    organization_id: UUID
    request: AnswerRequest
    verdict: Verdict
    corpus_empty: bool

    @property
    def passages(self) -> tuple[ScoredChunk, ...]:
        return self.request.passages

    def after(self, summary: str, memory: tuple[str, ...]) -> "Evidence":
        """With what was said before the turns that are shown word for word, and in earlier conversations."""
        return replace(self, request=replace(self.request, summary=summary, memory=memory))


class EvidenceFinder:
    """Retrieves and judges, in a thread of `turns`.

    `wide`: with what stands beside the passages, which a language model reads and the extractive answerer does not.
    """

    def __init__(
        self, retriever: Retriever, reader: WordReader, turns: Turns, *, min_confidence: float, wide: bool = False
    ) -> None:
        self._retriever = retriever
        self._reader = reader
        self._min_confidence = min_confidence
        self._wide = wide
        self._turns = turns

    async def find(
        self,
        organization_id: UUID,
        text: str,
        history: Sequence[Turn],
        top_k: int,
        filters: Filters | None = None,
        *,
        standalone: str | None = None,
    ) -> Evidence:
        """`standalone` is what `text` means after `history`, where that differs; it is what is searched for.

        Raises `Unavailable` when the store does not answer in time.
        """
        searched = standalone or text
        if small_talk(text):
            asked_nothing = AnswerRequest(text, language_of(text), (), Weights({}, {}, {}, {}), tuple(history))
            return Evidence(organization_id, asked_nothing, Verdict(0.0, Reason.NO_EVIDENCE), corpus_empty=False)
        return await self._turns.run(
            partial(self._find, organization_id, text, tuple(history), top_k, filters, searched=searched)
        )

    def _find(
        self,
        organization_id: UUID,
        text: str,
        history: tuple[Turn, ...],
        top_k: int,
        filters: Filters | None,
        *,
        searched: str,
    ) -> Evidence:
        found = self._retriever.retrieve(organization_id, searched, top_k, filters)
        request = AnswerRequest(
            text,
            language_of(searched),
            found.passages,
            self._weights(text, searched, found),
            history,
            surroundings=self._retriever.around(found.passages) if self._wide else (),
        )
        verdict = judge(searched, found, self._reader, self._min_confidence)
        return Evidence(organization_id, request, verdict, corpus_empty=found.rarity.total == 0)

    def _weights(self, text: str, searched: str, found: Found) -> Weights:
        weights = weigh(found.words, found.rarity)
        own = {word.stem for word in self._reader.words(text)}
        taken_over = {word.stem for word in self._reader.words(searched)} - own
        stems = {stem: weight * (CARRIED_WEIGHT if stem in taken_over else 1) for stem, weight in weights.stems.items()}
        return replace(weights, stems=stems)
