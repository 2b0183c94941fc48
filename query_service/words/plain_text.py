"""Words without their typesetting: what a person reads or hears of a piece of Markdown."""

import re

_CITATION = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\](?!\()")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"\*{1,3}|`+|(?<!\w)_{1,2}(?=\w)|(?<=[\w.])_{1,2}(?!\w)")


def plain(text: str) -> str:
    """One line without emphasis, code marks and link targets."""
    return " ".join(_EMPHASIS.sub("", _LINK.sub(r"\1", text)).split())


def without_citations(text: str) -> str:
    return _CITATION.sub("", text)
