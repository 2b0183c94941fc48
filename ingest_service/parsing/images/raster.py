"""Pages as pixels."""

from dataclasses import dataclass
from math import sqrt

RECOGNITION_DPI = 200
MOST_PIXELS = 25_000_000
"""No raster has more, whatever a page says of its size: 25 MB in grey."""


@dataclass(frozen=True, slots=True)
class Raster:
    """A page in grey (one byte a pixel) or colour (three: red, green, blue), rows from the top without padding."""

    width: int
    height: int
    pixels: bytes
    dpi: float
    channels: int = 1


def scale_of(width: float, height: float, dpi: float) -> float:
    """Pixels a point (1/72 inch) for a page of this size in points: as `dpi` asks, if that is not too many."""
    return min(dpi / 72, sqrt(MOST_PIXELS / (width * height)))
