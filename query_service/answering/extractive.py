"""Answering without a language model: the documents' own sentences, chosen and put into readable order."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from itertools import groupby

from query_service.answering.citations import Citer
from query_service.answering.pieces import Kind, ended
from query_service.answering.protocol import AnswerRequest, Piece
from query_service.answering.safe_text import quoted
from query_service.answering.sentence_scorer import Candidate, asks_definition, score_sentences
from query_service.events import Delta, Sentence
from query_service.words.sentences import Span
from query_service.words.terms import WordReader
from shared.embeddings.folding import fold

MODEL = "extractive"
SENTENCES = 3
RELEVANT = 0.65
"""A sentence with less than this part of the best one's score distracts more often than it helps."""
COMPANION_WORDS = 4
"""Of a sentence that accompanies another: "Ainda não." says nothing without the question it answers."""
WORTH = {Kind.SENTENCE: 1.0, Kind.ROW: 0.9, Kind.FRAGMENT: 0.75}
"""What a score is worth: sentences read best. A fragment never accompanies them; it answers alone or not at all."""
DEFINING_ROW = 0.6
"""What a row is worth to a question for a definition or a purpose: it names things, a sentence explains them."""
STUMP, STUMP_WORDS = 0.4, 8
"""A fragment of few words is most often a heading."""
GAP_CHARS = 2
"""White space between two sentences that follow each other."""


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
            yield self._citer.cite(number + 1, request.passages[number], _proof(list(used)))

    def choose(self, request: AnswerRequest) -> list[Candidate]:
        """At most three sentences: the best one first, unless it leans on the one before it."""
        ranked = score_sentences(request.question, request.weights, request.passages, self._reader)
        row = DEFINING_ROW if asks_definition(request.question) else WORTH[Kind.ROW]
        picked = _pick([(one, _worth(one, row)) for one in ranked])
        return _in_reading_order(_with_antecedent(picked, ranked))


def _proof(used: Sequence[Candidate]) -> Span:
    """What is quoted of a passage: its best sentence with those beside it that were given too, nothing else."""
    best = max(used, key=lambda one: one.score).span
    start, end = best.start, best.end
    for span in sorted((one.span for one in used), key=lambda span: span.start):
        if 0 <= span.start - end <= GAP_CHARS:
            end = span.end
    for span in sorted((one.span for one in used), key=lambda span: -span.end):
        if 0 <= start - span.end <= GAP_CHARS:
            start = span.start
    return Span(start, end)


def _worth(candidate: Candidate, row: float) -> float:
    if candidate.kind is Kind.ROW:
        return candidate.score * row
    stump = candidate.kind is Kind.FRAGMENT and len(candidate.text.split()) <= STUMP_WORDS
    return candidate.score * (STUMP if stump else WORTH[candidate.kind])


def _pick(valued: Sequence[tuple[Candidate, float]]) -> list[Candidate]:
    """The best ones that say something new; questions only when there is nothing else."""
    best_first = sorted(valued, key=lambda pair: -pair[1])
    answers = [pair for pair in best_first if not pair[0].text.endswith("?")] or best_first
    picked: list[Candidate] = []
    seen: set[str] = set()
    for candidate, worth in answers:
        if picked and (len(picked) == SENTENCES or worth < RELEVANT * answers[0][1]):
            break
        key = fold(candidate.text)
        fits = not picked or (candidate.kind is Kind.FRAGMENT) == (picked[0].kind is Kind.FRAGMENT)
        says_something = not picked or len(candidate.text.split()) >= COMPANION_WORDS
        if fits and says_something and key not in seen:
            seen.add(key)
            picked.append(candidate)
    return picked


def _in_reading_order(picked: Sequence[Candidate]) -> list[Candidate]:
    """By passage, and as they stand there, but what stands before the best sentence follows it.

    Except the sentence that it leans on or that ends where it begins: the two are read together.
    """
    if not picked:
        return []
    best = picked[0]
    leads = [one for one in picked[1:] if _leads_to(best, one)]
    lead = max(leads, key=lambda one: one.span.start, default=best)
    order = list(dict.fromkeys(one.passage for one in picked))

    def place(one: Candidate) -> tuple[int, bool, int]:
        return (
            order.index(one.passage),
            one.passage == best.passage and one.span.start < lead.span.start,
            one.span.start,
        )

    return sorted(picked, key=place)


def _leads_to(best: Candidate, one: Candidate) -> bool:
    gap = best.span.start - one.span.end
    return one.passage == best.passage and gap >= 0 and (best.points_back or gap <= GAP_CHARS)


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
