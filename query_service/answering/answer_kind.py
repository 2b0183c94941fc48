"""What kind of thing a question asks for, and whether a sentence holds one: a date, somebody, a number, a contact."""

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
_PHONE = re.compile(r"(?:\(\d{2,3}\)|\+\d{1,3}|\b0800|\b\d{4,5}[ .-]\d{4}\b|\bramal\b)", re.IGNORECASE)
_EMAIL = re.compile(r"\w@\w")
_SITE = re.compile(r"https?://|\bwww\.|\b[a-z0-9-]{2,}\.(?:com|org|net|edu|gov|br|dev|io)\b", re.IGNORECASE)


class AnswerKind(Enum):
    DATE = "date"
    """A year or a century."""
    SOMEBODY = "somebody"
    """A capitalised word that the question does not bring itself."""
    NUMBER = "number"
    """Digits that are no part of a name (5G) and no year, or a number in words."""
    PHONE = "phone"
    EMAIL = "email"
    SITE = "site"
    """An address on the web."""


CONTACTS = frozenset({AnswerKind.PHONE, AnswerKind.EMAIL, AnswerKind.SITE})
"""Kinds that cannot be said in other words: a text that holds none does not answer."""


_WHICH = r"\b(?:qual|quais|what)(?: (?:e|eh|sao|o|os|is|are|the|seria))* (?:(?:numero|endereco) (?:de|do) )?"
_ASKED = (
    (AnswerKind.PHONE, re.compile(_WHICH + r"(?:telefones?|fone|celular|whatsapp|ramal|phone)\b")),
    (AnswerKind.EMAIL, re.compile(_WHICH + r"(?:e-?mails?|correio eletronico)\b")),
    (AnswerKind.SITE, re.compile(_WHICH + r"(?:sites?|websites?|pagina (?:na|da) (?:internet|web)|url)\b")),
    (
        AnswerKind.DATE,
        re.compile(r"\bquando\b|\b(?:que|qual)(?: \w+)? (?:ano|data|dia|seculo)\b|\bwhen\b|\bwhat year\b"),
    ),
    (AnswerKind.SOMEBODY, re.compile(r"\bquem\b|\bwho\b|\bwhom\b")),
    (AnswerKind.NUMBER, re.compile(r"\bquant[oa]s?\b|\bhow (?:many|much)\b")),
)


_HELD = {
    AnswerKind.DATE: _DATE,
    AnswerKind.NUMBER: _NUMBER,
    AnswerKind.PHONE: _PHONE,
    AnswerKind.EMAIL: _EMAIL,
    AnswerKind.SITE: _SITE,
}


def asked_kind(question: str) -> AnswerKind | None:
    """None when any sentence may be the answer."""
    folded = fold(question)
    return next((kind for kind, asks in _ASKED if asks.search(folded)), None)


def holds_kind(kind: AnswerKind, sentence: str, asked: Set[str], reader: WordReader) -> bool:
    """Whether `sentence` holds such a thing; `asked` are the stems of the question."""
    if kind is AnswerKind.SOMEBODY:
        names = {word.stem for name in _NAME.findall(sentence) for word in reader.words(name)}
        return not names <= asked
    return bool(_HELD[kind].search(sentence))
