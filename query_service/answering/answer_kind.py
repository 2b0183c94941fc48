"""What kind of thing a question asks for, and whether a sentence holds one: a date, somebody, a number."""

import re
from collections.abc import Set
from enum import Enum

from query_service.words.terms import WordReader
from shared.embeddings.folding import fold

_DATE = re.compile(r"\b(?:1\d|20)\d\d\b|\bséculo\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=[\w,;:)] )[\"“'*]*([A-ZÀ-ÖØ-Þ]\w+)")
_NUMBER = re.compile(
    r"(?<![\w-])(?!(?:1[5-9]|20)\d\d(?![\d.,]*\d))\d[\d.,]*(?!\w)"
    r"|\b(?:dois|duas|três|quatro|cinco|seis|sete|oito|nove|dez|onze|doze|vinte|trinta|cem|mil|milhão|milhões|bilhões"
    r"|one|two|three|four|five|six|seven|eight|nine|ten|hundred|thousand|million)\b",
    re.IGNORECASE,
)


class AnswerKind(Enum):
    DATE = "date"
    """A year or a century."""
    SOMEBODY = "somebody"
    """A capitalised word that the question does not bring itself."""
    NUMBER = "number"
    """Digits that are no part of a name (5G) and no year, or a number in words."""


_ASKED = (
    (
        AnswerKind.DATE,
        re.compile(r"\bquando\b|\b(?:que|qual)(?: \w+)? (?:ano|data|dia|seculo)\b|\bwhen\b|\bwhat year\b"),
    ),
    (AnswerKind.SOMEBODY, re.compile(r"\bquem\b|\bwho\b|\bwhom\b")),
    (AnswerKind.NUMBER, re.compile(r"\bquant[oa]s?\b|\bhow (?:many|much)\b")),
)


def asked_kind(question: str) -> AnswerKind | None:
    """None when any sentence may be the answer."""
    folded = fold(question)
    return next((kind for kind, asks in _ASKED if asks.search(folded)), None)


def holds_kind(kind: AnswerKind, sentence: str, asked: Set[str], reader: WordReader) -> bool:
    """Whether `sentence` holds such a thing; `asked` are the stems of the question."""
    if kind is AnswerKind.SOMEBODY:
        names = {word.stem for name in _NAME.findall(sentence) for word in reader.words(name)}
        return not names <= asked
    return bool((_DATE if kind is AnswerKind.DATE else _NUMBER).search(sentence))
