"""The first hits in the order of their best sentence: an answer stands in one place, its words side by side."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from query_service.words.sentences import sentences
from query_service.words.terms import Rarity, Weights, Word, WordReader, weigh
from shared.models import ScoredChunk

Key = TypeVar("Key")

FIRST = 10
"""Hits that are looked at; 2 to 3 ms of reading, less for passages that were read lately."""
SURFACE, PAIR = 0.5, 0.5
FULL = 1 + SURFACE + PAIR
_CACHED_PASSAGES = 2000  # about 30 MB


@dataclass(frozen=True, slots=True)
class _Sentence:
    stems: frozenset[str]
    surfaces: frozenset[str]
    pairs: frozenset[tuple[str, str]]


class BestSentence:
    """Puts hits in order by their sentences. Thread-safe."""

    def __init__(self, reader: WordReader, weight: float) -> None:
        self._weight = weight

        @lru_cache(maxsize=_CACHED_PASSAGES)
        def read(text: str) -> tuple[_Sentence, ...]:
            found = (reader.words(text[span.start : span.end]) for span in sentences(text))
            return tuple(
                _Sentence(
                    frozenset(word.stem for word in words),
                    frozenset(word.surface for word in words),
                    frozenset((one.stem, other.stem) for one, other in pairwise(words)),
                )
                for words in found
                if words
            )

        self._read = read

    def order(self, hits: Sequence[ScoredChunk], words: Sequence[Word], rarity: Rarity) -> list[ScoredChunk]:
        """The first hits by `score + weight x top score x coverage of the best sentence`, then the rest as it was.

        Each place keeps its score: what reads scores later was fitted on those of the search.
        """
        if not hits or not self._weight:
            return list(hits)
        weights, worth = weigh(words, rarity), self._weight * hits[0].score
        head = hits[:FIRST]
        better = sorted(head, key=lambda hit: -hit.score - worth * self._coverage(hit.chunk.text, weights))
        moved = [ScoredChunk(chunk=one.chunk, score=hit.score) for one, hit in zip(better, head, strict=True)]
        return [*moved, *hits[FIRST:]]

    def _coverage(self, text: str, weights: Weights) -> float:
        """How much of the question's words and word pairs one sentence holds: 0 to 1."""
        return (
            max(
                (
                    _share(weights.stems, weights.said(sentence.stems) if weights.synonyms else sentence.stems)
                    + SURFACE * _share(weights.surfaces, sentence.surfaces)
                    + PAIR * _share(weights.bigrams, sentence.pairs)
                    for sentence in self._read(text)
                ),
                default=0.0,
            )
            / FULL
        )


def _share(weights: Mapping[Key, float], held: Set[Key]) -> float:
    total = sum(weights.values())
    return sum(weight for key, weight in weights.items() if key in held) / total if total else 0.0
