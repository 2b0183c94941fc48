"""How likely the passages answer the question: a logistic model over nine signals, each a number a person can check.

Fitted by `benchmarks/verdict_fit.py` on `dev` questions; its figures are in docs/evaluation.md. Signals are made of
words alone, so the fusion with dense vectors changes which passages are judged, not how.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

from query_service.answering.answer_kind import AnswerKind, asked_kind, holds_kind
from query_service.answering.pieces import pieces
from query_service.retrieval.retriever import Found
from query_service.words.everyday import telling
from query_service.words.names import counted_once, named
from query_service.words.terms import Features, Weights, Word, WordReader, grams, share, weigh
from shared.models import Chunk

JUDGED = 5
"""Passages that are judged, each alone: their union covers nearly every question by chance."""
ALMOST, CHANCE = 0.8, 0.2
"""A word that a text holds in part (`localizada`, `localização`) counts up to ALMOST; CHANCE of a word's pieces are
anywhere."""
NO_KIND = ALONE = 0.5
"""Neither for nor against: the question asks for no kind of thing, there is no other passage."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for and against one passage."""

    words: float
    """Share of the question's words in the passage, its title and headings; weighed by rarity, also in part."""
    sentence: float
    """The same of its best sentence or heading."""
    spelling: float
    """Share of the words that stand there as they were typed."""
    telling: float
    """Share of the words weighed by how telling they are in general."""
    substance: float
    """What the held words tell in all: a question of one everyday word is matched by chance."""
    missing: float
    """How telling the most telling word is that the passage lacks."""
    names_missing: float
    """Share of the question's names and numbers that the passage lacks."""
    kind: float
    """Whether a sentence holds the kind of thing asked for (a year, a name, a number); half when none is."""
    agreement: float
    """Share of the other passages whose document has the same title; half when there are none."""


WEIGHTS = Signals(
    words=-1.81,
    sentence=5.41,
    spelling=1.95,
    telling=-0.36,
    substance=1.38,
    missing=-2.16,
    names_missing=-1.6,
    kind=1.65,
    agreement=1.92,
)
BIAS = -5.06


def confidence(question: str, found: Found, reader: WordReader) -> float:
    """The probability (0 to 1) that one of the best passages answers, if every second question had an answer."""
    best = max(signals(question, found, reader), key=_sum, default=None)
    return 1 / (1 + math.exp(-_sum(best))) if best and found.words else 0.0


def _sum(seen: Signals) -> float:
    total: float = sum(weight * value for weight, value in zip(astuple(WEIGHTS), astuple(seen), strict=True))
    return BIAS + total


def signals(question: str, found: Found, reader: WordReader) -> list[Signals]:
    """One for each passage that is judged, in their order."""
    words = {word.stem: word for word in found.words}
    part = dict.fromkeys(words, 1.0) | counted_once(question, reader)
    weights = weigh(found.words, found.rarity)
    asked = _Asked(
        weights=replace(
            weights,
            stems={stem: weight * part[stem] for stem, weight in weights.stems.items()},
            surfaces={word.surface: weights.surfaces[word.surface] * part[word.stem] for word in found.words},
        ),
        words=tuple(words.values()),
        general={stem: telling(stem) for stem in words},
        counted={stem: telling(stem) * part[stem] for stem in words},
        names=named(question, reader) & words.keys(),
        kind=asked_kind(question),
    )
    judged = [passage.chunk for passage in found.passages[:JUDGED]]
    return [_signals(chunk, _agreement(chunk, judged), asked, reader) for chunk in judged]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What all passages are compared with."""

    weights: Weights
    words: tuple[Word, ...]
    general: Mapping[str, float]
    """How telling each word is by itself."""
    counted: Mapping[str, float]
    """The same, where the words of a name count as one."""
    names: frozenset[str]
    kind: AnswerKind | None


def _signals(chunk: Chunk, agreement: float, asked: _Asked, reader: WordReader) -> Signals:
    whole = asked.weights.translated(reader.features(f"{chunk.title} {' '.join(chunk.heading_path)} {chunk.text}"))
    parts = [piece.text for piece in pieces(chunk.text, chunk.context)]
    # A heading may be the question itself, as in an FAQ, and then the text under it need not repeat its words.
    sentences = [asked.weights.translated(reader.features(text)) for text in [*chunk.heading_path[-1:], *parts]]
    missing = {stem: weight for stem, weight in asked.general.items() if stem not in whole.stems}
    kind = NO_KIND
    if asked.kind is not None:
        kind = float(any(holds_kind(asked.kind, text, asked.general.keys(), reader) for text in parts))
    return Signals(
        words=_in_part(asked, whole),
        sentence=max((_in_part(asked, each) for each in sentences), default=0.0),
        spelling=share(asked.weights.surfaces, whole.surfaces),
        telling=share(asked.counted, whole.stems),
        substance=sum(weight for stem, weight in asked.counted.items() if stem not in missing),
        missing=max(missing.values(), default=0.0),
        names_missing=len(asked.names - whole.stems) / max(1, len(asked.names)),
        kind=kind,
        agreement=agreement,
    )


def _agreement(chunk: Chunk, judged: Sequence[Chunk]) -> float:
    same = sum(other.title == chunk.title for other in judged) - 1
    return same / (len(judged) - 1) if len(judged) > 1 else ALONE


def _in_part(asked: _Asked, features: Features) -> float:
    """Share of the rarity-weighted words that the text holds, a word in part by its four-letter pieces."""
    total = sum(asked.weights.stems.values())
    held = sum(asked.weights.stems[word.stem] * _held(word, features) for word in asked.words)
    return held / total if total else 0.0


def _held(word: Word, features: Features) -> float:
    if word.stem in features.stems:
        return 1.0
    parts = grams(word.surface)
    if len(parts) < 2:
        return 0.0
    part = sum(gram in features.grams for gram in parts) / len(parts)
    return ALMOST * max(0.0, (part - CHANCE) / (1 - CHANCE))
