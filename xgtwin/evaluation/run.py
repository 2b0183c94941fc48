"""The story of an evaluation: open a library -> retrieval -> answers -> second questions -> refusals -> report.

Everything is asked in process of the product's own parts over a throw-away store, so nothing has to run and the same
set always brings the same figures.
"""

from dataclasses import dataclass

from shared.embeddings.protocol import Embedder
from shared.settings import Settings
from shared.version import VERSION
from xgtwin.evaluation import answers, follow_ups, refusals, retrieval
from xgtwin.evaluation.library import Remembering, opened
from xgtwin.evaluation.refusals import Verdicts
from xgtwin.evaluation.report import Failure, Report, Table
from xgtwin.evaluation.sets import QuestionSet, Split

OWN = "Refusals, the set's own unanswerable questions"
HALVES = "Refusals over halves of the documents, titles in turn"
GIVEN_HALVES = "Refusals over halves of the documents, as given"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is measured: the split, at most so many questions, the effect of each knob, halves by these titles."""

    split: Split
    limit: int | None = None
    knobs: bool = True
    first_half: frozenset[str] = frozenset()


async def evaluate(data: QuestionSet, scope: Scope, settings: Settings, embedder: Embedder | None) -> Report:
    """Raises `Unavailable` when the embedding model does not answer."""
    asked = data.sample(scope.limit)
    remembering = Remembering(embedder) if embedder else None
    tables: list[Table] = []
    failures: list[Failure] = []
    with opened(asked.entries, remembering) as library:
        rows = retrieval.rows(settings.retrieval, remembering, knobs=scope.knobs)
        found, missed = retrieval.measure(asked, library, rows)
        answered, unproved = await answers.measure(asked, library, settings)
        tables += [*found, answered]
        failures += [*missed, *unproved]
        if asked.follow_ups:
            table, lost = await follow_ups.measure(asked.follow_ups, library, settings.retrieval)
            tables.append(table)
            failures += lost
        if asked.unanswerable:
            verdicts = Verdicts(
                await refusals.ask_all(asked.questions, library, settings),
                await refusals.ask_all(asked.unanswerable, library, settings),
            )
            tables.append(refusals.table(OWN, verdicts))
            failures += refusals.failures(OWN, verdicts)
    for title, first_half in ((HALVES, refusals.in_turn(asked)), (GIVEN_HALVES, scope.first_half)):
        if first_half:
            verdicts = await refusals.over_halves(asked, remembering, settings, first_half)
            tables.append(refusals.table(title, verdicts))
            failures += refusals.failures(title, verdicts)
    made_with = {
        "split": scope.split,
        "questions": str(len(asked.questions)),
        "passages": str(len(asked.entries)),
        "xgtwin": VERSION,
        "model": embedder.name if embedder else "none",
    }
    return Report(set_name=data.name, made_with=made_with, tables=tuple(tables), failures=tuple(failures))
