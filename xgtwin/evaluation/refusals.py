"""Whether the product knows what its documents do not answer: questions asked over the wrong half of the documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.models import DEFAULT_ORGANIZATION_ID
from shared.settings import Settings
from xgtwin.evaluation.library import Library, opened
from xgtwin.evaluation.ranking import area_under_curve, mean
from xgtwin.evaluation.repeats import Repeats
from xgtwin.evaluation.report import Failure, Table
from xgtwin.evaluation.sets import Question, QuestionSet

STEPS = tuple(step / 20 for step in range(1, 20))
"""Thresholds of the curve."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and how much the product trusted the passages that it found, 0 to 1."""

    question: Question
    confidence: float
    refused: bool


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was asked where it is answered, and where it is not."""

    answerable: tuple[Asked, ...]
    unanswerable: tuple[Asked, ...]


async def ask_all(questions: Sequence[Question], library: Library, settings: Settings) -> tuple[Asked, ...]:
    """The verdict on each question."""
    finder = library.finder(settings.retrieval, settings.query)
    asked = []
    for question in questions:
        evidence = await finder.find(DEFAULT_ORGANIZATION_ID, question.text, (), settings.query.top_k)
        asked.append(Asked(question, evidence.verdict.confidence, evidence.verdict.reason is not None))
    return tuple(asked)


async def of_the_set(data: QuestionSet, library: Library, settings: Settings) -> tuple[Table, list[Failure]]:
    """The set's questions beside its own unanswerable ones."""
    return _figures(
        "Refusals, the set's own unanswerable questions",
        Verdicts(await ask_all(data.questions, library, settings), await ask_all(data.unanswerable, library, settings)),
    )


async def over_halves(
    title: str, data: QuestionSet, whole: Library, settings: Settings, first_half: frozenset[str]
) -> tuple[Table, list[Failure]]:
    """Each question is put to the half of the documents that answers it, and to the other one.

    The halves have the models of the `whole` library. `first_half`: titles. A question that the other half happens to
    answer too (the same rule in two regulations) is not counted as unanswerable; one whose gold passages stand in both
    halves is not asked.
    """
    halves = [
        tuple(entry for entry in data.entries if (entry.chunk.title in first_half) is side) for side in (True, False)
    ]
    answerable: list[Asked] = []
    unanswerable: list[Asked] = []
    for half, other in (halves, halves[::-1]):
        inside, outside = ({entry.chunk.id for entry in each} for each in (half, other))
        with opened(half, whole.embedder, whole.reranker) as library:
            answerable += await ask_all([one for one in data.questions if one.gold <= inside], library, settings)
            repeats = Repeats(data, half, library.reader)
            foreign = [one for one in data.questions if one.gold <= outside and not repeats.answers(one)]
            unanswerable += await ask_all(foreign, library, settings)
    return _figures(title, Verdicts(tuple(answerable), tuple(unanswerable)))


def in_turn(data: QuestionSet) -> frozenset[str]:
    """Every second title in alphabetical order."""
    return frozenset(sorted({entry.chunk.title for entry in data.entries})[::2])


def _figures(title: str, verdicts: Verdicts) -> tuple[Table, list[Failure]]:
    return _table(title, verdicts), _failures(title, verdicts)


def _table(title: str, verdicts: Verdicts) -> Table:
    """The product as configured, then the curve over its confidence."""
    own, other = verdicts.answerable, verdicts.unanswerable
    curve = [
        (
            f"confidence from {step:.2f}",
            (mean([one.confidence >= step for one in own]), mean([one.confidence < step for one in other])),
        )
        for step in STEPS
    ]
    area = area_under_curve([one.confidence for one in own], [one.confidence for one in other])
    configured = (mean([not one.refused for one in own]), mean([one.refused for one in other]))
    return Table(
        title=title,
        columns=("answerable kept", "unanswerable refused"),
        rows=(("questions", (len(own), len(other))), ("as configured", configured), *curve),
        note=f"Area under the curve {area:.3f}.",
    )


def _failures(title: str, verdicts: Verdicts) -> list[Failure]:
    refused = [one for one in verdicts.answerable if one.refused]
    kept = [one for one in verdicts.unanswerable if not one.refused]
    return [_failure(f"{title}: answerable and refused", one, "an answer") for one in refused] + [
        _failure(f"{title}: unanswerable and not refused", one, "a refusal") for one in kept
    ]


def _failure(kind: str, one: Asked, expected: str) -> Failure:
    return Failure(
        kind=kind,
        question_id=one.question.id,
        question=one.question.text,
        expected=expected,
        got=f"confidence {one.confidence:.2f}",
    )
