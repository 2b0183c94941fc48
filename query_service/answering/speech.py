"""The answer for a voice: short, plain, nothing that a text-to-speech engine would spell out."""

import re

from query_service.answering.pronunciation import pronounced
from query_service.words.language import Language
from query_service.words.plain_text import plain, without_citations
from query_service.words.sentences import sentences

MAX_CHARS = 320
"""About 20 seconds of speech: what a visitor listens to before looking away."""

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_FRAME = re.compile(r"```\w*|\||:?-{3,}:?")
_TABLE_ROW = re.compile(r"(?m)^\s*\|.*$")
_LINE_MARK = re.compile(r"(?m)^\s*(?:#{1,6}\s+|>\s*|[-*•–]\s+|\d{1,2}[.)]\s+)")


def spoken(text: str, language: Language) -> str:
    """The first whole sentences of `text` that fit into `MAX_CHARS`; a first one that does not is cut at a word.

    Signs and units become words of `language`, addresses are left out.
    """
    lines = _LINE_MARK.sub("", _TABLE_ROW.sub("", _FENCE.sub("", without_citations(text))))
    said = ""
    for span in sentences(lines):
        sentence = pronounced(plain(lines[span.start : span.end]), language)
        if said and (len(said) + 1 + len(sentence) > MAX_CHARS or sentence.endswith("…")):
            break
        said = f"{said} {sentence}".strip()
    if not said:  # nothing but a table or code: its first words
        said = pronounced(plain(_FRAME.sub(" ", without_citations(text))), language)
    return said if len(said) <= MAX_CHARS else _cut(said)


def _cut(sentence: str) -> str:
    """At the last clause that fits, else at the last word, ended as a sentence."""
    head = sentence[: MAX_CHARS - 1]
    clause = max(head.rfind(mark) for mark in (";", ":", ", "))
    end = clause if clause > MAX_CHARS // 2 else head.rfind(" ")
    return head[: end if end > 0 else len(head)].rstrip(" ,;:") + "."
