"""Whether dense vectors take part in searches at this moment, and how a person is told."""

from collections.abc import Mapping
from dataclasses import asdict

from shared.embeddings.model import EmbeddingModel
from shared.embeddings.protocol import Embedder
from shared.vector_store.generational_store import GenerationalStore


class Dense:
    """The embedding model and the store, seen together. Thread-safe; asking costs nothing and never raises."""

    def __init__(self, model: EmbeddingModel, store: GenerationalStore) -> None:
        self.model = model
        self.store = store

    def embedder(self) -> Embedder | None:
        """For questions: there is a model, and the current vectors were made with it."""
        embedder = self.model.current()
        return embedder if embedder is not None and self.store.speaks(embedder) else None

    def facts(self) -> Mapping[str, object]:
        """For `/readyz`: the mode of retrieval, how far the model is, and what the vectors were made with."""
        embedder, filling = self.embedder(), self.store.filling
        embedding = self.model.status().facts()
        if self.model.current() is not None and embedder is None:
            so_far = f", {filling.done} of {filling.total} documents" if filling else ""
            embedding |= {"state": "filling", "words": f"filling the vectors with {self.model.name}{so_far}"}
        return {
            "retrieval": f"lexical + {embedder.name}" if embedder else "lexical",
            "embedding": embedding,
            "index": {
                "generation": self.store.number,
                "model": self.store.made_with.model,
                "filling": asdict(filling) if filling else None,
            },
        }
