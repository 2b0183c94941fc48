"""The `Answerer` port: passages in, text with `[n]` and its proof out."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from query_service.conversations.store import Turn
from query_service.events import Delta, Usage
from query_service.words.language import Language
from query_service.words.terms import Weights
from shared.models import Citation, ScoredChunk


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The document's text right before and after a passage; empty where there is none."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """A question with all that may be used to answer it. `[n]` means `passages[n - 1]`; there is at least one."""

    question: str
    language: Language
    passages: tuple[ScoredChunk, ...]
    weights: Weights
    history: tuple[Turn, ...] = ()
    """The newest turns, oldest first."""
    summary: str = ""
    """What was said before them; empty in short conversations."""
    memory: tuple[str, ...] = ()
    """What earlier conversations hold about this, best first."""
    surroundings: tuple[Surroundings, ...] = ()
    """One for each passage, or none at all: what a language model reads beside it. Quotes never come from there."""


class Silent(Exception):
    """The answerer gave nothing at all, so another one may take over. `kind` says why, for logs and metrics."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Answerer(Protocol):
    """Writes answers; used on the event loop."""

    model: str
    """What the answer object names as its author."""

    def answer(self, request: AnswerRequest) -> AsyncGenerator[Delta | Citation | Usage, None]:
        """The text in pieces, then one citation for each passage it points to, and usage if there is any.

        Every `[n]` in the text points to a passage. Raises `Silent` before the first piece, or
        `shared.errors.Unavailable` after it. Closing the iterator stops the work.
        """
        ...
