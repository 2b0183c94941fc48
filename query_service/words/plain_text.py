"""Words without their typesetting: what a person reads or hears of a piece of Markdown."""

import re

_CITATION = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\](?!\()")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^()]*(?:\([^()]*\)[^()]*)?\)")
_TASK = re.compile(r"^(\s*(?:[-*•]\s+)?)\[[ xX]\]\s+")
_EMPHASIS = re.compile(r"\*{1,3}|`+|(?<!\w)_{1,2}(?=\w)|(?<=[\w.])_{1,2}(?!\w)")


def plain(text: str) -> str:
    """One line without emphasis, code marks, link targets and the box of a task."""
    return " ".join(_EMPHASIS.sub("", _LINK.sub(r"\1", _TASK.sub(r"\1", text))).split())


def without_citations(text: str) -> str:
    return _CITATION.sub("", text)
