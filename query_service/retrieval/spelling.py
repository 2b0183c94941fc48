"""Misspelt words of a question, read as the word of a passage that was most likely meant."""

from collections.abc import Iterable
from dataclasses import replace

from query_service.retrieval.retriever import Found
from query_service.words.terms import Word, WordReader

MIN_CHARS = 5
"""Shorter words are too close to each other: `rede` and `sede` differ by one letter."""
TWO_EDITS_CHARS = 9
"""From this length on two slips are forgiven instead of one."""


def with_repaired_words(found: Found, reader: WordReader) -> Found:
    """`found` with each word that no document has replaced by the nearest one of the passages, if one is near."""
    if not any(_suspect(word, found) for word in found.words):
        return found
    known = {word.surface: word for passage in found.passages for word in reader.words(passage.chunk.text)}
    words = tuple(_nearest(word, known.values()) if _suspect(word, found) else word for word in found.words)
    return replace(found, words=words)


def _suspect(word: Word, found: Found) -> bool:
    return len(word.surface) >= MIN_CHARS and not word.surface.isdigit() and not found.rarity.counts.get(word.stem)


def _nearest(word: Word, known: Iterable[Word]) -> Word:
    """People rarely miss the first letter, and not asking for it would double the wrong repairs."""
    allowed = 2 if len(word.surface) >= TWO_EDITS_CHARS else 1
    near = [
        (distance, other.surface, other)
        for other in known
        if other.surface[0] == word.surface[0]
        and abs(len(other.surface) - len(word.surface)) <= allowed
        and (distance := edits(word.surface, other.surface)) <= allowed
    ]
    return min(near)[2] if near else word


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
