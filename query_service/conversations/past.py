"""All that is known of what was said before a question."""

from dataclasses import dataclass

from query_service.conversations.store import Turn


@dataclass(frozen=True, slots=True)
class Past:
    """`history` are the newest turns, oldest first; `summary` is what was said before them; `remembered` is what
    the visitor asked in earlier conversations, nearest first."""

    history: tuple[Turn, ...] = ()
    summary: str = ""
    remembered: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.history or self.remembered)
