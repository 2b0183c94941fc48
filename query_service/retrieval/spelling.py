"""Misspelt words of a question, read as the word of a found passage that was most likely meant."""

import re
from collections.abc import Iterable, Sequence

from query_service.words.terms import Rarity, Word, WordReader
from shared.embeddings.folding import fold
from shared.models import ScoredChunk

MIN_CHARS = 5
"""Shorter words are too close to each other: `rede` and `sede` differ by one letter."""
TWO_EDITS_CHARS = 9
"""From this length on two slips are forgiven instead of one."""

_WORD = re.compile(r"[^\W_]+")


def repaired(
    question: str, words: Sequence[Word], rarity: Rarity, passages: Sequence[ScoredChunk], reader: WordReader
) -> str:
    """The question with each word that no document has replaced by the nearest one of the passages, if one is near.

    The passages were found by the other words, and by the four-letter pieces of the misspelt one that are right.
    """
    suspects = [word for word in words if _suspect(word, rarity)]
    if not suspects:
        return question
    known = {word.surface for passage in passages for word in reader.words(passage.chunk.text)}
    meant = {word.surface: near for word in suspects if (near := _nearest(word.surface, known))}
    return _WORD.sub(lambda match: meant.get(fold(match[0]), match[0]), question) if meant else question


def _suspect(word: Word, rarity: Rarity) -> bool:
    unknown = not any(all(rarity.counts.get(stem) for stem in way) for way in word.ways)
    return unknown and len(word.surface) >= MIN_CHARS and not word.surface.isdigit()


def _nearest(surface: str, known: Iterable[str]) -> str | None:
    """People rarely miss the first letter, and not asking for it would double the wrong repairs."""
    allowed = 2 if len(surface) >= TWO_EDITS_CHARS else 1
    near = [
        (distance, other)
        for other in known
        if other[0] == surface[0]
        and abs(len(other) - len(surface)) <= allowed
        and (distance := edits(surface, other)) <= allowed
    ]
    return min(near)[1] if near else None


def edits(one: str, other: str) -> int:
    """Letters to insert, drop, change or swap with a neighbour to get from one word to the other."""
    two_above: list[int] = []
    above = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, target in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != target))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == target:
                cost = min(cost, two_above[j - 2] + 1)
            row.append(cost)
        two_above, above = above, row
    return above[-1]
