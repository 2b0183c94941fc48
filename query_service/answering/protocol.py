"""The `Answerer` port: passages in, text with `[n]` and its proof out."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from query_service.conversations.store import Turn
from query_service.events import Delta, Sentence, Usage
from query_service.llm.route import Route
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


Piece = Delta | Sentence | Citation | Usage | Route


class Silent(Exception):
    """The answerer gave nothing at all, so another one may take over. `kind` says why, for logs and metrics."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Answerer(Protocol):
    """Writes answers; used on the event loop."""

    model: str
    """What the answer object names as its author."""

    def answer(self, request: AnswerRequest) -> AsyncGenerator[Piece, None]:
        """The route if a language model is asked, filled while it answers; the text in pieces, then its sentences, one
        citation for each passage it points to, and usage if known.

        Every `[n]` in the text points to a passage, and nothing in it is markup that a client would run or load.
        Raises `Silent` before the first text, or `shared.errors.Unavailable` after it,
        with the text so far as the extension `partial`. Closing the iterator stops the work.
        """
        ...
