"""Cutting Portuguese (and English) text into sentences, as spans, so that every sentence is a literal slice.

A full stop ends a sentence only when what follows looks like a beginning and what stands before is no abbreviation,
initial or ordinal: "Dr. Silva", "Art. 5º", "3,5 GHz", "p. ex." and "nº 9.472" stay whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Abbreviations that are also words ("mar", "set", "min", "par") are left out: a wrong cut reads better than a lost one.
_ABBREVIATED = """
    dr dra drs sr sra srs sras prof profa profs exmo exma ilmo ilma eng enga gov pres dep sen gen cel ten pe
    art arts inc caps sec seç p pp pg pág págs fl fls vol vols ed eds n nº num núm nr nrs fig figs tab tabs
    eq eqs ex obs cf v vs ref refs aprox max máx mín méd tel av r al op cit ibid apud
    jan fev abr ago nov dept depto univ ltda cia s.a mr mrs ms jr e.g i.e u.s
"""
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
# "etc." and "a.C." may end a sentence as well, so they are not listed: what follows decides.
_STOP = re.compile(r"[.!?…]+[\"'”’»)\]]*(?:\*{1,2}|_)?(?=\s)")
_BEGINNING = re.compile(r"\s+(?:[\"'“‘«(\[*_`]*[A-ZÀ-ÖØ-Þ0-9]|<[^\s\d=]|\[/)")
"""A capital or a figure; or markup, which is no part of a sentence."""
_BEFORE = re.compile(r"[^\s(\"'“‘«\[]*$")
_INITIAL = re.compile(r"(?:[A-ZÀ-ÖØ-Þ]\.)*[A-ZÀ-ÖØ-Þ]")
WORD_CHARS = 40
"""Longer words are no abbreviations."""
_MARKER = re.compile(r"\s*(?:[-*•–]|\d{1,2}[.)])\s+")
_BREAK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*•–]|\d{1,2}[.)])\s|\s*\||\s*#)")
_TABLE_END = re.compile(r"(?<=\|)[ \t]*\n")
_HEADING_END = re.compile(r"(?m)^[ \t]*#{1,6}[^\n]*\n")


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]`, without white space at its ends."""

    start: int
    end: int


def sentences(text: str) -> Iterator[Span]:
    """The sentences of `text` in order. List items, headings and table rows come as pieces of their own."""
    for block in _blocks(text):
        if " | " in text[block.start : block.end]:  # a table row is read by its cells
            yield block
            continue
        start = block.start
        for stop in _STOP.finditer(text, block.start, block.end):
            if _ends(text, stop, block):
                yield _trim(text, start, stop.end())
                start = stop.end()
        if text[start : block.end].strip():
            yield _trim(text, start, block.end)


def _blocks(text: str) -> Iterator[Span]:
    """Paragraphs, list items, headings and table rows: no sentence crosses their borders."""
    cuts = {m.end() for pattern in (_BREAK, _TABLE_END, _HEADING_END) for m in pattern.finditer(text)}
    start = 0
    for end in [*sorted(cuts), len(text)]:
        if text[start:end].strip():
            yield _trim(text, start, end)
        start = end


def _ends(text: str, stop: re.Match[str], block: Span) -> bool:
    if stop.end() >= block.end or not _BEGINNING.match(text, stop.end()):
        return False
    if not stop.group().startswith(".") or len(stop.group()) > 1:
        return True
    before = _BEFORE.search(text, max(block.start, stop.start() - WORD_CHARS), stop.start())
    word = before.group() if before else ""
    if _INITIAL.fullmatch(word):
        # An initial goes on ("J. Silva"); an acronym at the end of a sentence has more than one letter without stops.
        return False
    if word.isdigit() and not text[block.start : before.start() if before else 0].strip():
        return False  # the number of a list item
    return word == "ms" or word.lower() not in _ABBREVIATIONS  # milliseconds end sentences, Ms does not


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))


def is_item(sentence: str) -> bool:
    """Whether it is an item of a list."""
    return _MARKER.match(sentence) is not None


def without_marker(sentence: str) -> str:
    """A list item without its bullet or number; anything else as it is."""
    return _MARKER.sub("", sentence, count=1) if is_item(sentence) else sentence
