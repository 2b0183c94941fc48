"""Do the passages hold what the question is about? Decided by words, before anything is written."""

from dataclasses import dataclass

from query_service.answering.pieces import pieces
from query_service.answering.sentence_scorer import FULL_COVERAGE, coverage
from query_service.events import Reason
from query_service.retrieval.retriever import Found
from query_service.words.terms import WordReader, share, weigh
from shared.models import Chunk

BEST_PASSAGES = 3
"""An answer stands in one passage, so each is judged alone: their union covers nearly every question by chance."""


NEAR_COVERAGE, NEAR_STEMS = 0.25, 2
"""From here on a refusal shows the nearest passage. Two words in common: one is shared by chance ("capital")."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is None when the passages hold enough; `coverage` (0 to 1) is what it was decided on.

    `near`: too little for an answer, but enough that a visitor who used other words than the document would want to
    see the passage (docs/answering.md has the figures).
    """

    coverage: float
    reason: Reason | None
    near: bool = False


def judge(found: Found, reader: WordReader, min_coverage: float) -> Verdict:
    """`no_evidence` when nothing is there, `low_score` when too little is."""
    held = max((_held(found, reader, number) for number in range(len(found.passages[:BEST_PASSAGES]))), default=0.0)
    if not found.passages or (held == 0 and not found.semantic):
        return Verdict(0.0, Reason.NO_EVIDENCE)
    if held >= min_coverage:
        return Verdict(held, None)
    return Verdict(held, Reason.LOW_SCORE, near=held >= NEAR_COVERAGE and _shared_stems(found, reader) >= NEAR_STEMS)


def _shared_stems(found: Found, reader: WordReader) -> int:
    """How many of the question's stems the passage with most of them holds."""
    asked = {word.stem: word for word in found.words}.values()
    best = [reader.features(f"{_context(p.chunk)} {p.chunk.text}") for p in found.passages[:BEST_PASSAGES]]
    return max(sum(word.said_with(features.stems) for word in asked) for features in best)


def _context(chunk: Chunk) -> str:
    return f"{chunk.title} {' '.join(chunk.heading_path)}"


def _held(found: Found, reader: WordReader, number: int) -> float:
    """Half: the share of the question's stems in the passage. Half: how well its best sentence matches.

    The first alone accepts passages that scatter the question's words, the second alone refuses answers that take
    two sentences; together they refuse 8 points more at the same loss (docs/answering.md).
    """
    chunk = found.passages[number].chunk
    weights = weigh(found.words, found.rarity)
    stems = share(weights.stems, weights.said(reader.features(f"{_context(chunk)} {chunk.text}").stems))
    # A heading may be the question itself, as in an FAQ, and then the text under it need not repeat its words.
    texts = [*chunk.heading_path[-1:], *(piece.text for piece in pieces(chunk.text, chunk.context))]
    best = max((coverage(weights, reader.features(text)) for text in texts), default=0.0)
    return (stems + best / FULL_COVERAGE) / 2
