"""Looking at PDF pages by pypdfium2, this file being its only importer: rasters, places of characters, images."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2 as pdfium
from pypdfium2 import raw

from ingest_service.parsing import errors
from ingest_service.parsing.images.raster import Raster, scale_of
from ingest_service.parsing.ocr.recognised import Box

_IMAGES_COVER = 0.3
"""Of a page with a few characters (a page number, a stamp), from which on its text is in the images."""
_IMAGES_COVER_MOST = 0.5
_MANY_PATHS = 100
"""Letters drawn as outlines: text without a text layer."""
_MANY_LETTERS = 60
"""On a page of which the layout engine gave nothing: its lines stand sideways."""
_DEEPEST_FORM = 3
_GRID = 10_000
"""Pdfium gives places on a page in whole steps: so many each way."""


def has_more_than_text(data: bytes, numbers: Sequence[int]) -> list[int]:
    """Those of the pages that have letters although the layout engine gave hardly any: in images, as outlines, or
    sideways. Pages count from 1."""
    if not numbers:
        return []
    with _opened(data) as document:
        return [number for number in numbers if _may_hold_letters(document[number - 1])]


def mostly_images(data: bytes, numbers: Sequence[int]) -> list[int]:
    """Those of the pages of which images cover the larger part. Pages count from 1."""
    if not numbers:
        return []
    with _opened(data) as document:
        return [number for number in numbers if _looks(document[number - 1]).covered > _IMAGES_COVER_MOST]


def page_raster(data: bytes, number: int, dpi: float, *, colour: bool = False, widest: int | None = None) -> Raster:
    """The page as it is seen, at `dpi` or what its size allows, at most `widest` pixels wide. Raises `NoSuchPage`,
    `BrokenDocument`."""
    with _page(data, number) as page:
        width, height = page.get_size()
        scale = scale_of(width, height, min(dpi, 72 * widest / width) if widest else dpi)
        image = page.render(scale=scale, grayscale=not colour).to_pil()
        image = image.convert("RGB" if colour else "L")
        return Raster(image.width, image.height, image.tobytes(), dpi=scale * 72, channels=3 if colour else 1)


def page_characters(data: bytes, number: int) -> list[tuple[str, Box]]:
    """The characters of the page's text layer with their places, in the order of the layer. Raises as `page_raster`."""
    with _page(data, number) as page:
        layer = page.get_textpage()
        return [
            (layer.get_text_range(index, 1), _box(page, *layer.get_charbox(index)))
            for index in range(layer.count_chars())
        ]


def _box(page: pdfium.PdfPage, left: float, bottom: float, right: float, top: float) -> Box:
    """From points of the page to shares of the picture, whichever way the page is turned."""
    corners = []
    for x, y in ((left, bottom), (right, top)):
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, x, y, across, down)
        corners.append((across.value / _GRID, down.value / _GRID))
    (x1, y1), (x2, y2) = corners
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


@contextmanager
def _page(data: bytes, number: int) -> Iterator[pdfium.PdfPage]:
    with _opened(data) as document:
        if not 1 <= number <= len(document):
            raise errors.no_such_page(number, len(document))
        try:
            yield document[number - 1]
        except pdfium.PdfiumError as error:
            raise errors.broken() from error


@dataclass(frozen=True, slots=True)
class _Looks:
    """What is to be seen on a page; `covered` is the share of it that images take."""

    images: int
    paths: int
    covered: float


def _looks(page: pdfium.PdfPage) -> _Looks:
    width, height = page.get_size()
    images, paths, covered = 0, 0, 0.0
    for item in page.get_objects(max_depth=_DEEPEST_FORM):
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = item.get_bounds()
            images += 1
            covered += abs((right - left) * (top - bottom))
        elif item.type == raw.FPDF_PAGEOBJ_PATH:
            paths += 1
    return _Looks(images, paths, covered / (width * height) if width * height else 0.0)


def _may_hold_letters(page: pdfium.PdfPage) -> bool:
    looks = _looks(page)
    letters = page.get_textpage().count_chars()
    return (
        looks.covered > _IMAGES_COVER
        or looks.paths >= _MANY_PATHS
        or letters >= _MANY_LETTERS
        or (not letters and looks.images > 0)
    )


@contextmanager
def _opened(data: bytes) -> Iterator[pdfium.PdfDocument]:
    document = pdfium.PdfDocument(data)
    try:
        yield document
    finally:
        document.close()
