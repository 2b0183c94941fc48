"""Generations of a collection: the same chunks with vectors made by different means, numbered as they were begun.

One generation is current: searches see it. The next one is filled beside it and takes its place (decision 0009).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from pydantic import ValidationError

from shared.errors import Conflict, Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import FILL_TROUBLE
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.protocol import EmbeddedChunk, VectorStore

log = get_logger(__name__)


class DamagedVectors(Unavailable):
    """The files of a generation cannot be read, or do not say what they were made with."""


class InUse(Unavailable):
    """Another process has the vectors to itself."""


class NoRoom(Unavailable):
    """The disk has no room for what a generation takes."""


@dataclass(frozen=True, slots=True)
class Generation:
    """An open generation."""

    number: int
    fingerprint: Fingerprint
    store: VectorStore


@dataclass(frozen=True, slots=True)
class Filling:
    """How far the next generation is: `done` of `total` documents, and what is done or waited for this moment."""

    done: int
    total: int
    stage: str


class Generations(Protocol):
    """Where the generations of one collection are kept. Every call is safe to repeat after a kill.

    Raises `Unavailable` when that place cannot be used.
    """

    shared: ClassVar[bool]
    """Whether other processes use it too, so that one of them may make another generation current at any time."""

    def current(self) -> int | None:
        """The number of the current generation; None before the first."""
        ...

    def numbers(self) -> Sequence[int]:
        """All generations of this collection name, rising. What only looks like one is not among them."""
        ...

    def unused(self) -> int:
        """A number greater than all that are taken, by whomever."""
        ...

    def require_room(self, beside: int | None = None) -> None:
        """Raises `NoRoom` if there is none to write on, or none for another one as large as `beside`."""
        ...

    def open(self, number: int) -> Generation:
        """Raises `DamagedVectors`; an unknown number is one."""
        ...

    def create(self, number: int, fingerprint: Fingerprint) -> Generation:
        """An empty generation; if this number is there already, that one."""
        ...

    def make_current(self, number: int) -> None:
        """From one moment to the next, for whoever asks `current`. `Unavailable` if another process dropped it."""
        ...

    def set_aside(self, number: int) -> None:
        """Take a damaged generation out of the way. Its files are kept for a look, until the next one that breaks."""
        ...

    def drop(self, number: int) -> None:
        """Remove a closed generation for good. An unknown number is no error; the current one is `Unavailable`."""
        ...

    def close(self) -> None: ...


def became_current() -> Unavailable:
    """Why a generation is not dropped."""
    return Unavailable("The generation to be dropped is the current one: another process made it so.", retry_after=1)


def fingerprint_of(stored: Any) -> Fingerprint:
    """What a generation says it was made with, as read (JSON-like). Raises `DamagedVectors` if it does not."""
    try:
        return Fingerprint.model_validate(stored)
    except ValidationError as error:
        raise DamagedVectors("A generation of the vectors does not say what it was made with.") from error


def says_what_it_is(stored: Any) -> bool:
    """Whether `fingerprint_of` would succeed."""
    try:
        fingerprint_of(stored)
    except DamagedVectors:
        return False
    return True


def open_current(generations: Generations, first: Fingerprint) -> Generation:
    """The current generation; an empty one where there is none yet, or where it cannot be read.

    Of several processes that open a place at once one begins its first generation, and all get that one.
    """
    number = generations.unused()  # asked before looking: whoever begins one meanwhile begins it under this number
    found = _found(generations)
    if found is None:
        try:
            found = generations.create(number, first)
        except Conflict:
            found = _found(generations)  # another process just began it, with other means
            if found is None:
                raise
            return found
        generations.make_current(found.number)
    return found


def _found(generations: Generations) -> Generation | None:
    """The current generation, None if there is none or it cannot be read."""
    numbers = generations.numbers()
    number = generations.current()
    if number is None and numbers:
        number = numbers[0]  # killed before the first was named, or it comes from a release without generations
        generations.make_current(number)
    if number is not None:
        try:
            return generations.open(number)
        except DamagedVectors as damaged:
            if generations.current() not in {None, number}:
                return _found(generations)  # it was swapped and dropped by another process just now
            log.error("generation_set_aside", number=number, reason=damaged.detail)
            generations.set_aside(number)
    return None


def take_up(generations: Generations, wanted: Fingerprint, current: int) -> Generation | None:
    """The filling after the current generation that an earlier process began for this fingerprint. What else is left
    over from earlier swaps is dropped on the way to it."""
    for number in generations.numbers():
        if number == current:
            continue
        try:
            found = generations.open(number) if number > current else None
        except DamagedVectors:
            found = None
        if found is not None and found.fingerprint == wanted:
            return found
        if found is not None:
            found.store.close()
        generations.drop(number)
    return None


def fitting(chunks: Sequence[EmbeddedChunk], made_with: Fingerprint, model: str | None) -> Sequence[EmbeddedChunk]:
    """What a generation gets of chunks with vectors of `model`: no dense ones of another model than its own."""
    if made_with.model == model and model is not None:
        return chunks
    return [replace(chunk, dense=None) for chunk in chunks]


def beside(following: Generation, change: Callable[[Generation], None]) -> None:
    """What changes the current generation, done to the next one. A failure here costs nothing: the document counts as
    touched, and whoever fills the generation repairs it."""
    try:
        change(following)
    except Unavailable as error:
        FILL_TROUBLE.inc()
        log.warning("next_generation_not_written", reason=error.detail)
