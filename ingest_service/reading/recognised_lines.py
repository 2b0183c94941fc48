"""Recognised pages in the form of all other pages, so that headers, hyphens and page numbers are treated alike."""

from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.ocr.recognised import RecognisedPage
from ingest_service.parsing.pdf.lines import Line
from ingest_service.parsing.pdf.pages import PdfPage


def page_of(recognised: RecognisedPage, number: int, label: str | None = None) -> PdfPage:
    """The page with each recognised paragraph as one line of text."""
    lines = tuple(
        Line(BlockKind.PARAGRAPH, text, top * recognised.height, bottom * recognised.height)
        for text, (_, top, _, bottom) in recognised.texts()
    )
    return PdfPage(number, label, lines, characters=sum(len(word.text) for word in recognised.words()))
