"""Do the passages hold what the question is about? Decided by words, before anything is written."""

from dataclasses import dataclass

from query_service.answering.pieces import pieces
from query_service.answering.sentence_scorer import FULL_COVERAGE, coverage
from query_service.events import Reason
from query_service.retrieval import Found
from query_service.terms import Features, Word, WordReader, grams, weigh

BEST_PASSAGES = 3
"""An answer stands in one passage, so each is judged alone: their union covers nearly every question by chance."""
NEAR_MISS = 0.5
"""Two words with this much of their four-letter pieces in common may be one word misspelt."""
MIN_NEAR_MISS_CHARS = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is None when the passages hold enough; `coverage` (0 to 1) is what it was decided on."""

    coverage: float
    reason: Reason | None


def judge(found: Found, reader: WordReader, min_coverage: float) -> Verdict:
    """`no_evidence` when nothing is there, `low_score` when too little is."""
    held = max((_held(found, reader, number) for number in range(len(found.passages[:BEST_PASSAGES]))), default=0.0)
    if not found.passages or (held == 0 and not found.semantic):
        return Verdict(0.0, Reason.NO_EVIDENCE)
    return Verdict(held, Reason.LOW_SCORE if held < min_coverage else None)


def _held(found: Found, reader: WordReader, number: int) -> float:
    """Half: the share of the question's stems in the passage. Half: how well its best sentence matches.

    The first alone accepts passages that scatter the question's words, the second alone refuses answers that take
    two sentences; together they refuse 8 points more at the same loss (docs/answering.md).
    """
    chunk = found.passages[number].chunk
    context = f"{chunk.title} {' '.join(chunk.heading_path)} "
    stems = _stem_share(found, reader.features(context + chunk.text))
    weights = weigh(found.words, found.rarity)
    # A heading may be the question itself, as in an FAQ, and then the text under it need not repeat its words.
    texts = [*chunk.heading_path[-1:], *(piece.text for piece in pieces(chunk.text))]
    best = max((coverage(weights, reader.features(text)) for text in texts), default=0.0)
    return (stems + best / FULL_COVERAGE) / 2


def _stem_share(found: Found, features: Features) -> float:
    words = {word.stem: word for word in found.words}
    total = sum(found.rarity.of(stem) for stem in words)
    held = sum(found.rarity.of(stem) * _match(word, features) for stem, word in words.items())
    return held / total if total else 0.0


def _match(word: Word, features: Features) -> float:
    """1 for the stem itself, the likeness of the nearest spelling if it is near enough, else 0."""
    if word.stem in features.stems:
        return 1.0
    if len(word.surface) < MIN_NEAR_MISS_CHARS:
        return 0.0
    pieces = frozenset(grams(word.surface))
    likeness = max((_dice(pieces, frozenset(grams(other))) for other in features.surfaces), default=0.0)
    return likeness if likeness >= NEAR_MISS else 0.0


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))
