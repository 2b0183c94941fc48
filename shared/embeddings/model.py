"""The embedding model as the services hold it: it may come later, and says what it waits for meanwhile."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.embeddings.protocol import Embedder


class ModelState(StrEnum):
    """How far the embedding model is on its way into this process."""

    OFF = "off"
    """None is wanted: retrieval is lexical."""
    ABSENT = "absent"
    """It is not on this machine and is not fetched; a folder that appears is taken up."""
    FETCHING = "fetching"
    """Its files are on their way from the hub."""
    WAITING = "waiting"
    """The hub or the embedding server does not answer, or not rightly; it is asked again, less and less often."""
    UNUSABLE = "unusable"
    """Its folder is there and not a whole model; it is tried again when it changes."""
    READY = "ready"
    """It embeds."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """`words` say to a person what stands behind the state."""

    model: str | None
    state: ModelState
    words: str

    def facts(self) -> dict[str, str | None]:
        """For `/readyz`."""
        return {"model": self.model, "state": self.state.value, "words": self.words}


class EmbeddingModel(Protocol):
    """Thread-safe. Nothing here waits or raises."""

    name: str | None
    """What the settings ask for; None for lexical retrieval alone."""

    def current(self) -> Embedder | None:
        """The embedder, from the moment on when it can embed. It never goes away again."""
        ...

    def status(self) -> ModelStatus: ...

    def close(self) -> None: ...


class Present:
    """An `EmbeddingModel` that is there from the start, or never (None)."""

    def __init__(self, embedder: Embedder | None) -> None:
        self.name = embedder.name if embedder else None
        self._embedder = embedder

    def current(self) -> Embedder | None:
        return self._embedder

    def status(self) -> ModelStatus:
        if self._embedder is None:
            return ModelStatus(None, ModelState.OFF, "lexical retrieval alone (EMBEDDER__KIND=none)")
        return ModelStatus(self.name, ModelState.READY, f"{self.name}, {self._embedder.dimension} dimensions")

    def close(self) -> None:
        pass


NO_MODEL = Present(None)
