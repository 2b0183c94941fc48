"""Questions that lean on the one before: "E quem coordena?", "e quanto a isso?"."""

import re
from collections.abc import Sequence

from query_service.conversations.store import Turn
from query_service.conversations.tables import Role
from query_service.words.terms import WordReader
from shared.embeddings.folding import fold

_CONTINUES = re.compile(r"\W*(?:e|mas|entao|and|but|so)\b(?! possivel)")
_POINTS_BACK = re.compile(
    r"\b(?:[dn]?el[ea]s?|[dn]?iss[oa]|[dn]?ess[ea]s?|[dn]?aquel[ea]s?|seus?|suas?|it|its|they|them|their|that|those)\b"
)


def carried_questions(question: str, history: Sequence[Turn], reader: WordReader) -> tuple[str, ...]:
    """The earlier questions that this one cannot be understood without, newest first; none for most questions."""
    asked = [turn.content for turn in reversed(history) if turn.role is Role.USER]
    carried: list[str] = []
    for earlier in asked:
        if not _leans(carried[-1] if carried else question, reader):
            break
        carried.append(earlier)
    return tuple(carried)


def _leans(question: str, reader: WordReader) -> bool:
    folded = fold(question)
    few = len(reader.asked(question)) < 2 and len(folded.split()) <= 4
    return few or bool(_CONTINUES.match(folded)) or bool(_POINTS_BACK.search(folded))
