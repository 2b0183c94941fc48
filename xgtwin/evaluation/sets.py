"""Question sets as the evaluation sees them: what can be found, what is asked, and what would be right."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from shared.models import Chunk

Split = Literal["dev", "test", "all"]

EXCERPT_CHARS = 90
SEED = 0
"""Of every random choice here, so that two runs ask the same questions."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A chunk and the text that its vectors are made of."""

    chunk: Chunk
    searchable: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question; each chunk of `gold` answers it by itself, with one of the literal `answers` (none: not known)."""

    id: str
    text: str
    gold: frozenset[UUID]
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A second question of a conversation, what was asked before it, and the form that stands alone, by hand."""

    question: Question
    first: str
    standalone: str


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """`unanswerable` questions have no answer in `entries`, although some are about the same subjects."""

    name: str
    entries: tuple[Entry, ...]
    questions: tuple[Question, ...]
    unanswerable: tuple[Question, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    """Each with its stand-alone form among `questions`, under the same id."""

    def sample(self, limit: int | None) -> "QuestionSet":
        """The set with at most `limit` questions of each kind, always the same ones."""
        questions = _drawn(self.questions, limit)
        ids = {question.id for question in questions}
        return replace(
            self,
            questions=questions,
            unanswerable=_drawn(self.unanswerable, limit),
            follow_ups=tuple(one for one in self.follow_ups if one.question.id in ids),
        )


def _drawn(questions: Sequence[Question], limit: int | None) -> tuple[Question, ...]:
    if limit is None or limit >= len(questions):
        return tuple(questions)
    return tuple(random.Random(SEED).sample(questions, limit))  # noqa: S311 - a sample, not a secret


def excerpt(chunk: Chunk) -> str:
    """A chunk in a line, for a report."""
    page = f", page {chunk.page_start}" if chunk.page_start else ""
    text = " ".join(chunk.text.split())
    return f"{chunk.filename}{page}: {text[:EXCERPT_CHARS]}{'…' if len(text) > EXCERPT_CHARS else ''}"
