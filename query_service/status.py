"""What an operator sees of this service on `/readyz` and at its start."""

from collections.abc import Mapping

from query_service.llm.guarded import GuardedLlm
from query_service.retrieval.reranking import Reranker
from shared.embeddings.protocol import Embedder
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.vector_store.protocol import VectorStore


class Status:
    """Modes, and the number of searchable chunks as the latest readiness check counted it."""

    def __init__(
        self, store: VectorStore, embedder: Embedder | None, llm: GuardedLlm | None, reranker: Reranker | None = None
    ) -> None:
        self._store = store
        self._chunks: int | None = None
        self._llm = llm
        self.mode = f"{llm.model} at {llm.host}" if llm else "extractive (no LLM configured)"
        self._retrieval = f"lexical + {embedder.name}" if embedder else "lexical"
        if reranker:
            self._retrieval += f", re-ranked by {reranker.name}"

    def ping_store(self) -> None:
        """The store's own ping, and a count beside it: facts are given on the event loop and must not wait."""
        self._store.ping()
        self._chunks = self._store.count(DEFAULT_ORGANIZATION_ID)

    def facts(self) -> Mapping[str, object]:
        rest = self._llm.breaker.rest_s if self._llm else 0.0
        mode = self.mode if not rest else f"extractive ({self.mode} failed in a row; tried again in {rest:.0f} s)"
        return {"mode": mode, "retrieval": self._retrieval, "chunks": self._chunks}
