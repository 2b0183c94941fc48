"""All that is known of what was said before a question."""

from dataclasses import dataclass

from query_service.conversations.memory import Remembered
from query_service.conversations.store import Turn


@dataclass(frozen=True, slots=True)
class Past:
    """`history` are the newest turns, oldest first; `summary` is what was said before them; `remembered` are exchanges
    of the visitor's earlier conversations, nearest first."""

    history: tuple[Turn, ...] = ()
    summary: str = ""
    remembered: tuple[Remembered, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(exchange.note for exchange in self.remembered)

    def __bool__(self) -> bool:
        return bool(self.history or self.remembered)
