"""The story of an evaluation: open a library -> retrieval -> answers -> second questions -> refusals -> report.

Everything is asked in process of the product's own parts over a throw-away store, so nothing has to run and the same
set always brings the same figures.
"""

from collections.abc import Awaitable
from dataclasses import dataclass

from query_service.retrieval.reranking import build_reranker
from shared.embeddings.protocol import Embedder
from shared.settings import Settings
from shared.version import VERSION
from xgtwin.evaluation import answers, follow_ups, refusals, retrieval
from xgtwin.evaluation.library import Remembering, opened
from xgtwin.evaluation.report import Failure, Report, Table
from xgtwin.evaluation.sets import QuestionSet, Split

HALVES = "Refusals over halves of the documents, titles in turn"
GIVEN_HALVES = "Refusals over halves of the documents, as given"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is measured: the split, at most so many questions, the effect of each knob, halves by these titles.

    `whole` is false for retrieval alone, which is a fifth of the work.
    """

    split: Split
    limit: int | None = None
    knobs: bool = True
    whole: bool = True
    first_half: frozenset[str] = frozenset()


async def evaluate(data: QuestionSet, scope: Scope, settings: Settings, embedder: Embedder | None) -> Report:
    """Raises `Unavailable` when the embedding model does not answer, or the re-ranker's folder holds no whole model."""
    asked = data.sample(scope.limit)
    remembering = Remembering(embedder) if embedder else None
    reranker = build_reranker(settings)
    with opened(asked.entries, remembering, reranker) as library:
        rows = retrieval.rows(settings.retrieval, remembering, knobs=scope.knobs)
        tables, failures = retrieval.measure(asked, library, rows)
        if scope.whole:
            await _add(tables, failures, answers.measure(asked, library, settings))
        if scope.whole and asked.follow_ups:
            await _add(tables, failures, follow_ups.measure(asked.follow_ups, library, settings.retrieval))
        if scope.whole and asked.unanswerable:
            await _add(tables, failures, refusals.of_the_set(asked, library, settings))
    for title, first_half in ((HALVES, refusals.in_turn(asked)), (GIVEN_HALVES, scope.first_half)):
        if scope.whole and first_half:
            await _add(tables, failures, refusals.over_halves(title, asked, library, settings, first_half))
    made_with = {
        "split": scope.split,
        "questions": str(len(asked.questions)),
        "passages": str(len(asked.entries)),
        "xgtwin": VERSION,
        "model": embedder.name if embedder else "none",
        "re-ranker": reranker.name if reranker else "none",
    }
    return Report(set_name=data.name, made_with=made_with, tables=tuple(tables), failures=tuple(failures))


async def _add(tables: list[Table], failures: list[Failure], measured: Awaitable[tuple[Table, list[Failure]]]) -> None:
    table, found = await measured
    tables.append(table)
    failures += found
