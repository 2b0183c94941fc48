"""Answering without a language model: the documents' own sentences, chosen and put into readable order."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from itertools import groupby

from query_service.answering.citations import Citer
from query_service.answering.pieces import Kind, ended
from query_service.answering.protocol import AnswerRequest, Piece
from query_service.answering.safe_text import quoted
from query_service.answering.sentence_scorer import Candidate, score_sentences
from query_service.events import Delta, Sentence
from query_service.words.sentences import Span
from query_service.words.terms import WordReader
from shared.embeddings.folding import fold

MODEL = "extractive"
SENTENCES = 3
RELEVANT = 0.55
"""A sentence with less than this part of the best one's score distracts more often than it helps."""
WORTH = {Kind.SENTENCE: 1.0, Kind.ROW: 0.9, Kind.FRAGMENT: 0.75}
"""What a score is worth: sentences read best. A fragment never accompanies them; it answers alone or not at all."""
STUMP, STUMP_WORDS = 0.4, 8
"""A fragment of few words is most often a heading."""


class Extractive:
    """`Answerer` over the sentence scorer. Always answers when there is a passage."""

    model = MODEL

    def __init__(self, reader: WordReader, citer: Citer) -> None:
        self._reader = reader
        self._citer = citer

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[Piece, None]:
        chosen = await asyncio.to_thread(self.choose, request)
        said: list[Sentence] = []
        for one in chosen:
            text, start = f"{ended(quoted(one.text))} [{one.passage + 1}]", said[-1].end + 1 if said else 0
            said.append(
                Sentence(text=text, start=start, end=start + len(text), citations=(one.passage + 1,), supported=True)
            )
            yield Delta(text=f"{' ' if start else ''}{text}")
        for sentence in said:
            yield sentence
        for number, used in groupby(chosen, key=lambda one: one.passage):
            spans = [one.span for one in used]
            whole = Span(spans[0].start, spans[-1].end)
            yield self._citer.cite(number + 1, request.passages[number], whole)

    def choose(self, request: AnswerRequest) -> list[Candidate]:
        """At most three sentences: the passage of the best one first, within a passage as they stand there."""
        ranked = score_sentences(request.question, request.weights, request.passages, self._reader)
        picked = _pick(sorted(ranked, key=lambda candidate: -_worth(candidate)))
        picked = _with_antecedent(picked, ranked)
        order = list(dict.fromkeys(candidate.passage for candidate in picked))
        return sorted(picked, key=lambda candidate: (order.index(candidate.passage), candidate.span.start))


def _worth(candidate: Candidate) -> float:
    stump = candidate.kind is Kind.FRAGMENT and len(candidate.text.split()) <= STUMP_WORDS
    return candidate.score * (STUMP if stump else WORTH[candidate.kind])


def _pick(ranked: Sequence[Candidate]) -> list[Candidate]:
    """The best ones that say something new; questions only when there is nothing else."""
    picked: list[Candidate] = []
    seen: set[str] = set()
    for candidate in [one for one in ranked if not one.text.endswith("?")] or ranked:
        if picked and (len(picked) == SENTENCES or _worth(candidate) < RELEVANT * _worth(picked[0])):
            break
        key = fold(candidate.text)
        fits = not picked or (candidate.kind is Kind.FRAGMENT) == (picked[0].kind is Kind.FRAGMENT)
        if fits and key not in seen:
            seen.add(key)
            picked.append(candidate)
    return picked


def _with_antecedent(picked: list[Candidate], ranked: Sequence[Candidate]) -> list[Candidate]:
    """When the best sentence points back ("Foi fundada em 1865."), the one before it comes along, the last one goes."""
    if not picked or not picked[0].points_back:
        return picked
    best = picked[0]
    before = [one for one in ranked if one.passage == best.passage and one.span.end <= best.span.start]
    nearest = max(before, key=lambda one: one.span.start, default=None)
    if nearest is None or nearest in picked or nearest.text.endswith("?"):
        return picked
    return [best, nearest, *picked[1 : SENTENCES - 1]]
