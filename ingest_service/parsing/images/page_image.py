"""A page as a picture with a quote marked: what a reading process does for `GET /documents/{id}/pages/{n}.png`."""

from pathlib import Path

from ingest_service.parsing.images.highlight import boxes_of
from ingest_service.parsing.media_types import PDF
from ingest_service.parsing.ocr.recognised import Box, RecognisedPage

WIDTH = 1240
"""Pixels: A4 at 150 dpi."""
_LONGEST = 1754


def marked_page(path: Path, media_type: str, number: int, quote: str, recognised: RecognisedPage | None) -> bytes:
    """The page of a PDF or image file as PNG, the quote marked where it is found; an empty quote marks nothing.

    Raises `NoSuchPage`, `BrokenDocument`, `TooLargeUnpacked`.
    """
    # The libraries are heavy and wanted in reading processes alone.
    from ingest_service.parsing.images.pictures import colour_frame, marked_png

    data = path.read_bytes()
    boxes: list[Box] = []
    if recognised is not None and quote:
        boxes = boxes_of(quote, [(word.text, word.box) for word in recognised.words()])
    if media_type != PDF:
        return marked_png(colour_frame(data, number, _LONGEST), boxes)
    from ingest_service.parsing.pdf.pdfium import page_characters, page_raster

    if quote and not boxes:
        boxes = boxes_of(quote, page_characters(data, number))
    return marked_png(page_raster(data, number, 150, colour=True, widest=WIDTH), boxes)
