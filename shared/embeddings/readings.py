"""What a match counts in each of the four ways that a text is read (shared/embeddings/lexical.py)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadingWeights:
    """Applied to the question, so that a change needs no re-indexing. The numbers: docs/decisions/0002."""

    stem: float = 1.0
    surface: float = 0.5
    pair: float = 0.5
    piece: float = 0.3


FITTED = ReadingWeights()
