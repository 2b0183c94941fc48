"""Image files and pixels by pillow, this file being its only importer. What runs here runs in a reading process."""

import io
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

from ingest_service.parsing import errors
from ingest_service.parsing.images.raster import Raster
from ingest_service.parsing.ocr.recognised import Box

_MOST_MEGAPIXELS = 100
"""300 MB when unpacked in colour; a phone takes 12 to 50, an A0 poster at 300 dpi has 139."""
_LONG_SIDE = (2300, 3500)
"""Pixels along the longer side between which recognition reads best: A4 at 200 to 300 dpi."""
_A4_INCHES = 11.7
_MARK = (255, 236, 110)
_MARK_MARGIN = 0.002


def frames_of(data: bytes) -> int:
    """How many pages an image file has: the images of a TIFF, one else (an animation shows one thing).

    Raises `BrokenDocument`, `TooLargeUnpacked`.
    """
    with _opened(data) as image:
        return int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1


def grey_frame(data: bytes, number: int) -> Raster:
    """A page of an image file upright, in grey, at a size that suits recognition. Raises as `frames_of`."""
    with _frame(data, number) as image:
        longest = max(image.size)
        wanted = min(max(longest, _LONG_SIDE[0]), _LONG_SIDE[1], 3 * longest)
        factor = wanted / longest
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        grey = image.convert("L").resize(size, Image.Resampling.BICUBIC)
        return Raster(grey.width, grey.height, grey.tobytes(), dpi=max(grey.size) / _A4_INCHES)


def colour_frame(data: bytes, number: int, longest: int) -> Raster:
    """A page of an image file upright, as a person sees it, at most so many pixels long. Raises as `frames_of`."""
    with _frame(data, number) as image:
        image.thumbnail((longest, longest))
        return Raster(image.width, image.height, image.tobytes(), dpi=max(image.size) / _A4_INCHES, channels=3)


def without_specks(raster: Raster) -> Raster:
    """The raster with single odd pixels smoothed away: what noise there is hides all lines from recognition."""
    image = Image.frombytes("L", (raster.width, raster.height), raster.pixels).filter(ImageFilter.MedianFilter(3))
    return Raster(raster.width, raster.height, image.tobytes(), raster.dpi)


def marked_png(raster: Raster, boxes: Sequence[Box]) -> bytes:
    """A colour raster as PNG with the boxes marked as with a highlighter: what is dark stays dark."""
    image = Image.frombytes("RGB", (raster.width, raster.height), raster.pixels)
    if boxes:
        marks = Image.new("RGB", image.size, "white")
        draw = ImageDraw.Draw(marks)
        for left, top, right, bottom in boxes:
            draw.rectangle(
                (
                    (left - _MARK_MARGIN) * image.width,
                    (top - _MARK_MARGIN) * image.height,
                    (right + _MARK_MARGIN) * image.width,
                    (bottom + _MARK_MARGIN) * image.height,
                ),
                fill=_MARK,
            )
        image = ImageChops.multiply(image, marks)
    target = io.BytesIO()
    image.save(target, "PNG", compress_level=6)
    return target.getvalue()


@contextmanager
def _frame(data: bytes, number: int) -> Iterator[Image.Image]:
    """One page in colour, upright, on white where it is transparent."""
    pages = frames_of(data)
    if not 1 <= number <= pages:
        raise errors.no_such_page(number, pages)
    with _opened(data) as image:
        image.seek(number - 1)
        _refuse_if_huge(image)
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I") or upright.mode == "F":
            # Sixteen bits of grey: pillow cuts instead of scaling them.
            upright = upright.convert("I").point(lambda value: value / 257).convert("L")
        if "A" in upright.mode or "transparency" in upright.info:
            layer = upright.convert("RGBA")
            upright = Image.new("RGBA", layer.size, "white")
            upright.alpha_composite(layer)
        yield upright.convert("RGB")


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    Image.MAX_IMAGE_PIXELS = None  # pillow would warn only; the size is looked at below
    try:
        with Image.open(io.BytesIO(data)) as image:
            _refuse_if_huge(image)
            yield image
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise errors.broken_image() from error


def _refuse_if_huge(image: Image.Image) -> None:
    megapixels = image.width * image.height // 1_000_000
    if megapixels > _MOST_MEGAPIXELS:
        raise errors.too_many_pixels(megapixels, _MOST_MEGAPIXELS)
