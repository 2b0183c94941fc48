"""Questions that lean on what was asked before ("e quem coordena?", "por quê?", "e no 4G?"), made to stand alone.

By words, without a language model. Leaning is told so that a complete question never drags the old subject along: none
of the 492 questions of FaQuAD's dev part leans, and 26 of SQuAD-pt's 3,659. Names out of the earlier answer are not
carried over: on the two-turn questions they put the right passage first in 33 cases of 40, without them in 35.
"""

import re
from collections.abc import Sequence

from query_service.conversations.replacement import with_other_object
from query_service.conversations.store import Turn
from query_service.conversations.tables import Role
from query_service.words.terms import WordReader
from shared.embeddings.folding import fold

MAX_CHARS = 600
"""An earlier question is cut to this: a pasted page is no subject."""
SHORT_WORDS = 4
"""A question of so few words and one content word at most ("quantos alunos?") says too little to be complete."""

_GREETING = re.compile(
    r"\W*(?:(?:oi|olá|ola|bom dia|boa tarde|boa noite|e aí|e ai|tudo bem|ok|certo|legal|obrigad[oa]"
    r"|hi|hello|hey|thanks)\b\W*)+",
    re.IGNORECASE,
)
_CONTINUES = re.compile(r"\W*(?:e|mas|então|entao|and|but|so)\s+", re.IGNORECASE)
_POINTS_BACK = re.compile(
    r"\b(?:[dn]?el[ea]s?|[dn]?iss[oa]|[dn]?ess[ea]s?|[dn]?aquel[ea]s?|aquilo|seus?|suas?|la|ali"
    r"|it|its|they|them|their|that|those|he|she|his|her|him|there)\b"
)
_DEFINES = re.compile(
    r"\W*(?:(?:o\s+)?que|o\s?q)\s+(?:e|eh|sao|foi|foram|era|eram|significam?|quer(?:em)? dizer)\b"
    r"|what (?:is|are|was|were|does)\b"
)
_NAMED = re.compile(r"(?<!^)(?<![.?!]\s)\b[A-ZÀ-Þ]\w*|\w*\d\w*|\b\w*[a-z][A-Z]\w*|\b[A-Z]{2,}\b")
"""A name, an acronym or a number: what a question that has one is about needs no guessing."""


def standalone_form(question: str, history: Sequence[Turn], reader: WordReader) -> str | None:
    """The question with what it leaves unsaid; None when it stands alone already, or nothing was asked before it."""
    subject, between = "", ""
    for earlier in (turn.content[:MAX_CHARS] for turn in history if turn.role is Role.USER):
        if not subject or not leans(earlier, reader):
            subject, between = earlier, ""
        elif replaced := with_other_object(subject, _bare(earlier)[1]):
            subject, between = replaced, ""
        else:
            between = earlier
    if not subject or not leans(question, reader):
        return None
    return with_other_object(subject, _bare(question)[1]) or " ".join(filter(None, [subject, between, question]))


def leans(question: str, reader: WordReader) -> bool:
    """Whether the question cannot be understood without the one before it."""
    continues, body = _bare(question)
    folded = fold(body)
    pointer = _POINTS_BACK.search(folded)
    if pointer and not _says_what(folded[: pointer.start()], body, reader):
        return True
    if not pointer and _DEFINES.match(folded) and reader.words(_DEFINES.sub("", folded, count=1)):
        return False
    few = len(folded.split()) <= SHORT_WORDS and len(reader.asked(body)) < 2 and not _NAMED.search(body)
    return continues or few


def _says_what(before: str, body: str, reader: WordReader) -> bool:
    """Whether a pronoun has what it points to before it: "Quem enviou o exército do seu país?"."""
    return len(reader.words(before)) >= 2 or _NAMED.search(body[: len(before)]) is not None


def _bare(question: str) -> tuple[bool, str]:
    """Whether it begins as a continuation ("e ..."), and the question without that and without greetings."""
    greeted = _GREETING.match(question)
    body = question[greeted.end() :] if greeted else question
    continued = _CONTINUES.match(body)
    return continued is not None, body[continued.end() :] if continued else body
