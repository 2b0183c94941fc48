"""What an operator sees of this service on `/readyz` and at its start."""

from collections.abc import Mapping

from query_service.llm.guarded import GuardedLlm
from query_service.retrieval.reranking import Reranker
from shared.dense import Dense
from shared.models import DEFAULT_ORGANIZATION_ID


class Status:
    """Modes, and the number of searchable chunks as the latest readiness check counted it."""

    def __init__(self, dense: Dense, llm: GuardedLlm | None, reranker: Reranker | None = None) -> None:
        self._dense = dense
        self._chunks: int | None = None
        self._llm = llm
        self.mode = f"{llm.model} at {llm.host}" if llm else "extractive (no LLM configured)"
        self._reranked = f", re-ranked by {reranker.name}" if reranker else ""

    def ping_store(self) -> None:
        """The store's own ping, and a count beside it: facts are given on the event loop and must not wait."""
        self._dense.store.ping()
        self._chunks = self._dense.store.count(DEFAULT_ORGANIZATION_ID)

    def facts(self) -> Mapping[str, object]:
        rest = self._llm.breaker.rest_s if self._llm else 0.0
        mode = self.mode if not rest else f"extractive ({self.mode} failed in a row; tried again in {rest:.0f} s)"
        facts = self._dense.facts()
        retrieval = f"{facts['retrieval']}{self._reranked}"
        return {"mode": mode, "chunks": self._chunks, **facts, "retrieval": retrieval}
