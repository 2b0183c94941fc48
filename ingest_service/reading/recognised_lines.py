"""Recognised pages in the form of all other pages, so that headers, hyphens and page numbers are treated alike."""

import re
from dataclasses import replace

from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.ocr.recognised import RecognisedPage
from ingest_service.parsing.pdf.broken_text import is_broken, share_of_common_words
from ingest_service.parsing.pdf.lines import Line
from ingest_service.parsing.pdf.pages import PdfPage

_WORD = re.compile(r"\w+")
_HELD = 0.8
"""A recognised paragraph with this share of its words in the page's own text is that text: some are misread."""


def better(page: PdfPage, recognised: RecognisedPage | None) -> PdfPage:
    """The page with what was recognised. A text layer that makes no sense gives way to it, unless it makes as much: a
    table of names is no broken text. A stamp on a scan stays, and what the scan says stands beside it."""
    if recognised is None:
        return page
    seen = page_of(recognised, page.number, page.label)
    if is_broken(_text(page)):
        return seen if _sense(seen) > _sense(page) else page
    own = _words(_text(page))
    added = [line for line in seen.lines if not _is_held(line.text, own)]
    if not added:
        return page
    # Not sorted by place: what was recognised is in reading order, columns included.
    above = [line for line in page.lines if line.top < added[0].top]
    lines = (*above, *added, *(line for line in page.lines if line.top >= added[0].top))
    return replace(page, lines=lines, characters=sum(len("".join(line.text.split())) for line in lines))


def _is_held(text: str, words: set[str]) -> bool:
    found = _words(text)
    return len(found & words) >= _HELD * len(found)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _text(page: PdfPage) -> str:
    return " ".join(line.text for line in page.lines)


def _sense(page: PdfPage) -> tuple[float, int]:
    return round(share_of_common_words(_text(page)), 2), page.characters


def page_of(recognised: RecognisedPage, number: int, label: str | None = None) -> PdfPage:
    """The page with each recognised paragraph as one line of text."""
    lines = tuple(
        Line(BlockKind.PARAGRAPH, text, top * recognised.height, bottom * recognised.height)
        for text, (_, top, _, bottom) in recognised.texts()
    )
    return PdfPage(
        number, label, lines, characters=sum(len(word.text) for word in recognised.words()), height=recognised.height
    )
