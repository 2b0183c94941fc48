"""What the vectors of a collection were made with, and the sentence for when that no longer fits."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import Conflict

LAYOUT = 2
"""Rises when the stored form of a chunk changes (shared/vector_store/stored_chunk.py)."""


class Fingerprint(BaseModel):
    """Written with the collection when it is made, compared each time it is opened.

    `model` and `dimension` are None for a collection without dense vectors.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lexical: str
    model: str | None = None
    dimension: int | None = None
    layout: int = LAYOUT


def require_match(stored: Any, wanted: Fingerprint) -> None:
    """Return if `stored` (as read, JSON-like) is the wanted fingerprint; raise `Conflict` saying what to do."""
    try:
        found = Fingerprint.model_validate(stored)
    except ValidationError as error:
        raise Conflict(
            "The vector collection does not say what it was made with, so it is not one of ours or was not finished. "
            "Choose another name (STORE__COLLECTION), or run `xgtwin reindex` to replace it."
        ) from error
    if found == wanted:
        return
    if (found.model, found.dimension) != (wanted.model, wanted.dimension):
        raise Conflict(
            f"The stored vectors were made {_with(found)}, the settings ask for vectors {_with(wanted)}. "
            "Set EMBEDDER__KIND, EMBEDDER__MODEL and EMBEDDER__MODEL_DIR back to what they were, "
            "or run `xgtwin reindex` to make all vectors anew."
        )
    raise Conflict(
        "The stored vectors were made by another version of xgtwin, whose reading of words differs. "
        "Run `xgtwin reindex` to make all vectors anew."
    )


def _with(fingerprint: Fingerprint) -> str:
    if fingerprint.model is None:
        return "without an embedding model"
    return f"with {fingerprint.model} ({fingerprint.dimension} dimensions)"
