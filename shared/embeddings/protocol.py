"""The `Embedder` port: dense vectors of passages and questions.

Contract tests: tests/contract/test_embedder.py.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

Vector = tuple[float, ...]


class Embedder(Protocol):
    """Turns text into unit vectors of `dimension` floats. Thread-safe; same text, same vector (to 1e-5)."""

    name: str
    """Model name: part of the collection's fingerprint, shown at start-up."""
    dimension: int
    window: int
    """Tokens that the model reads of one text; it cuts off the rest without a word."""

    def count_tokens(self, text: str) -> int:
        """How many tokens of the window a text takes, never less than it really does."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Iterator[Vector]:
        """One vector a text, in order, yielded as they are ready; memory is bounded by a small batch.

        Raises `shared.errors.Unavailable` when a remote model does not answer.
        """
        ...

    def embed_question(self, text: str) -> Vector:
        """The vector of one question; model-specific prefixes (E5's `query: `) are added here."""
        ...

    def ping(self) -> None:
        """Return if the model can embed; raise `Unavailable` with the reason otherwise."""
        ...
