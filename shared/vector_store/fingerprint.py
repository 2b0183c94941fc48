"""What the vectors of a generation were made with, and the sentence for when that is not what was expected."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.embeddings.protocol import Embedder
from shared.errors import Conflict

LAYOUT = 2
"""Rises when the stored form of a chunk changes (shared/vector_store/stored_chunk.py)."""


class Fingerprint(BaseModel):
    """Written with a generation when it is made; settings that ask for another one have a new generation filled.

    `model` and `dimension` are None for a generation without dense vectors. `chunker` is empty for one that was made
    before it was noted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lexical: str
    model: str | None = None
    dimension: int | None = None
    chunker: str = ""
    layout: int = LAYOUT

    def is_of(self, embedder: Embedder) -> bool:
        """Whether the dense vectors are this embedder's."""
        return (self.model, self.dimension) == (embedder.name, embedder.dimension)


def require_match(stored: Any, wanted: Fingerprint) -> None:
    """Return if `stored` (as read, JSON-like) is the wanted fingerprint; raise `Conflict` saying what to do."""
    try:
        found = Fingerprint.model_validate(stored)
    except ValidationError as error:
        raise Conflict(
            "The vector collection does not say what it was made with, so it is not one of ours or was not finished. "
            "Choose another name (STORE__COLLECTION), or move that folder or collection away."
        ) from error
    if found == wanted:
        return
    raise Conflict(f"These vectors were made {_with(found)}; they were opened as vectors made {_with(wanted)}.")


def _with(fingerprint: Fingerprint) -> str:
    model = f"with {fingerprint.model} ({fingerprint.dimension} dimensions)" if fingerprint.model else "without a model"
    return f"{model}, {fingerprint.lexical}, chunker {fingerprint.chunker or 'unknown'}, layout {fingerprint.layout}"
