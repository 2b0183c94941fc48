"""A conversation as language models read it: a line for each turn, with nothing in it that could end it."""

from collections.abc import Sequence

from query_service.conversations.store import Turn
from query_service.conversations.tables import Role
from query_service.llm.neutral import neutral
from query_service.words.plain_text import without_citations

_WHO = {Role.USER: "Visitor", Role.ASSISTANT: "Assistant"}


def transcript(turns: Sequence[Turn], turn_chars: int) -> str:
    """Each turn on a line, cut to `turn_chars`."""
    return "\n".join(f"{_WHO[turn.role]}: {one_line(turn.content)[:turn_chars]}" for turn in turns)


def one_line(text: str) -> str:
    return " ".join(neutral(without_citations(text)).split())
