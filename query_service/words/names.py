"""Which words of a question name something: written with a capital, as an acronym, or with digits."""

import re

from query_service.words.terms import WordReader

# The first word has its capital anyway.
_NAME = re.compile(r"(?<=\s)[A-ZÀ-ÖØ-Þ][\w-]*|\b[A-Z]{2,}\w*|\b\w*\d[\w.,]*")

_LONG_NAME = re.compile(r"[A-ZÀ-ÖØ-Þ][\w-]*(?:\s+(?:(?:d[aeo]s?|e)\s+)?[A-ZÀ-ÖØ-Þ][\w-]*)+")


def named(question: str, reader: WordReader) -> frozenset[str]:
    """Their stems; empty when none is named, as in questions typed in a hurry or all in capitals."""
    if question.isupper() and len(question.split()) > 1:
        return frozenset()
    return frozenset(word.stem for name in _NAME.findall(question) for word in reader.words(name))


def counted_once(question: str, reader: WordReader) -> dict[str, float]:
    """The stems of names of several words, each with its part of one: three for `Santa Rita do Sapucaí` would outvote
    the one word that is asked about it."""
    if question.isupper():
        return {}
    names = ({word.stem for word in reader.words(name)} for name in _LONG_NAME.findall(question))
    return {stem: 1 / len(stems) for stems in names for stem in stems}
