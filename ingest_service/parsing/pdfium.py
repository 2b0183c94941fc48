"""Looking at PDF pages by pypdfium2, this file being its only importer: rasters, places of characters, images."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pypdfium2 as pdfium
from pypdfium2 import raw

_IMAGES_COVER = 0.3
"""Of a page with a few characters (a page number, a stamp), from which on its text is in the images."""
_MANY_PATHS = 100
"""Letters drawn as outlines: text without a text layer."""
_DEEPEST_FORM = 3


def has_more_than_text(data: bytes, numbers: Sequence[int]) -> list[int]:
    """Those of the pages on which images or outlines may be letters. Pages count from 1."""
    if not numbers:
        return []
    with _opened(data) as document:
        return [number for number in numbers if _may_hold_letters(document[number - 1])]


def _may_hold_letters(page: pdfium.PdfPage) -> bool:
    width, height = page.get_size()
    images, paths, covered = 0, 0, 0.0
    for item in page.get_objects(max_depth=_DEEPEST_FORM):
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = item.get_bounds()
            images += 1
            covered += abs((right - left) * (top - bottom))
        elif item.type == raw.FPDF_PAGEOBJ_PATH:
            paths += 1
    without_text = not page.get_textpage().count_chars()
    return covered > _IMAGES_COVER * width * height or paths >= _MANY_PATHS or (without_text and images > 0)


@contextmanager
def _opened(data: bytes) -> Iterator[pdfium.PdfDocument]:
    document = pdfium.PdfDocument(data)
    try:
        yield document
    finally:
        document.close()
