"""What a hostile case is: how its bytes are made, and how ingestion may end with them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Maker = TypeVar("Maker", Callable[[], bytes], Callable[[str], bytes])

READY = frozenset({"ready"})
NO_TEXT = frozenset({"no_text"})
REFUSED = frozenset({"refused"})
"""Not taken at the door; the answer says why."""
QUARANTINED = frozenset({"quarantined"})
"""Taken, and set aside by its job; the document says why."""
TURNED_AWAY = REFUSED | QUARANTINED
ANYTHING = READY | NO_TEXT | TURNED_AWAY
"""For files that one reader may mend and the next may not: what counts is that it ends, and says why."""

DAMAGED = ("damaged",)
NO_TEXT_SAYS = ("no text", "not a word")
ENTITIES = ("entities", "damaged")
NESTED = ("deep", "damaged")
TOO_MUCH = ("INGEST__PARSE_MEMORY_MB", "INGEST__PARSE_TIMEOUT_S")


@dataclass(frozen=True)
class Case:
    """One hostile file."""

    name: str
    filename: str
    make: Callable[[str], bytes]
    """Given an address that nobody may call."""
    ends: frozenset[str]
    says: tuple[str, ...] = ()
    """At least one of these stands in the reason, when there is one."""
    finds: str = ""
    """A word of the document that must be found when it is ready."""


class Cases:
    """The cases of one module, in the order of their functions."""

    def __init__(self) -> None:
        self.all: list[Case] = []

    def __call__(
        self, filename: str, ends: frozenset[str], *, says: tuple[str, ...] = (), finds: str = ""
    ) -> Callable[[Maker], Maker]:
        """Make a function a case; its name is the case's. It takes the address if it writes it anywhere."""

        def noted(make: Maker) -> Maker:
            wants_address = bool(inspect.signature(make).parameters)

            def made(address: str) -> bytes:
                return make(address) if wants_address else make()  # type: ignore[call-arg]

            self.all.append(Case(make.__name__, filename, made, ends, says, finds))
            return make

        return noted
