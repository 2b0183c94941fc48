"""Which words of a question name something: written with a capital, as an acronym, or with digits."""

import re

from query_service.words.terms import WordReader

# The first word has its capital anyway.
_NAME = re.compile(r"(?<=\s)[A-ZÀ-ÖØ-Þ][\w-]*|\b[A-Z]{2,}\w*|\b\w*\d[\w.,]*")


def named(question: str, reader: WordReader) -> frozenset[str]:
    """Their stems; empty when none is named, as in questions typed in a hurry or all in capitals."""
    if question.isupper() and len(question.split()) > 1:
        return frozenset()
    return frozenset(word.stem for name in _NAME.findall(question) for word in reader.words(name))
