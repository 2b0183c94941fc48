"""The `Reranker` port: a slower, more careful look at the first hits, where a model for it is present.

Tests: tests/integration/query/test_reranking.py, over a real cross-encoder.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from shared.errors import Unavailable
from shared.models import ScoredChunk
from shared.observability.logs import get_logger
from shared.observability.metrics import RERANKER_FAILURES
from shared.settings import Settings

log = get_logger(__name__)

MODEL = "BAAI/bge-reranker-v2-m3"
"""The folder looked for in `<data>/models`; multilingual, 0.57 GB as int8."""


class Reranker(Protocol):
    """Reads question and passage together. Thread-safe."""

    name: str

    def scores(self, question: str, texts: Sequence[str], deadline_s: float) -> list[float]:
        """How well each text answers, in order; higher is better, comparable within one call.

        Raises `Unavailable` when it fails or is not done after `deadline_s` seconds.
        """
        ...


def build_reranker(settings: Settings) -> Reranker | None:
    """The model in RETRIEVAL__RERANKER_DIR or in the data folder; None when there is none. Nothing is ever fetched.

    Raises `Unavailable` when a folder is there, or named, and holds no whole model.
    """
    folder = settings.retrieval.reranker_dir or settings.data_dir / "models" / MODEL
    if settings.retrieval.reranker_dir is None and not _holds_something(folder):
        return None
    from query_service.retrieval.fastembed_reranker import FastembedReranker  # heavy, only where it is used

    return FastembedReranker(folder)


def reranked(
    question: str, hits: Sequence[ScoredChunk], reranker: Reranker, *, first: int, deadline_s: float
) -> list[ScoredChunk]:
    """The hits, the first ones in the re-ranker's order unless it fails; each place keeps its score."""
    head, rest = hits[:first], hits[first:]
    try:
        scores = reranker.scores(question, [hit.chunk.text for hit in head], deadline_s)
    except Unavailable as error:
        RERANKER_FAILURES.inc()
        log.warning("hits_not_reranked", detail=error.detail)
        return list(hits)
    order = sorted(range(len(head)), key=lambda at: -scores[at])
    moved = [ScoredChunk(chunk=head[at].chunk, score=hit.score) for at, hit in zip(order, head, strict=True)]
    return [*moved, *rest]


def _holds_something(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
