"""Colours between what families say (xy, hue and saturation, mired) and ours: r, g, b at full value, and kelvin.

xy is CIE 1931 with the D65 white and the gamma of sRGB, as Zigbee lamps and Home Assistant use it. Brightness is no
part of a colour here: every result has its largest channel at 255.
"""

import colorsys

from twin_bridge.lamps.protocol import MAX_KELVIN, MIN_KELVIN

Rgb = tuple[int, int, int]

_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_FROM_XYZ = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)
"""sRGB (IEC 61966-2-1): its primaries, D65."""
_WHITE = (0.3127, 0.3290)
XY_DIGITS = 4
"""Zigbee counts xy in 1/65536. With four digits a colour comes back within 1 of 255, with three within 15 (all colours
in steps of 15, there and back)."""


def full_value(r: float, g: float, b: float) -> Rgb:
    """The colour with its largest channel at 255; black stays black."""
    largest = max(r, g, b)
    if largest <= 0:
        return 0, 0, 0
    return _clamp(r * 255 / largest), _clamp(g * 255 / largest), _clamp(b * 255 / largest)


def from_xy(x: float, y: float) -> Rgb:
    """The nearest colour that r, g, b can show; a place without a colour (y of 0) is white."""
    if not (0 < y <= 1 and 0 <= x <= 1):
        x, y = _WHITE
    xyz = (x / y, 1.0, max(0.0, 1 - x - y) / y)
    linear = [max(0.0, sum(factor * part for factor, part in zip(row, xyz, strict=True))) for row in _FROM_XYZ]
    largest = max(linear)
    red, green, blue = (_encode(part / largest) * 255 for part in linear)
    return full_value(red, green, blue)


def to_xy(r: float, g: float, b: float) -> tuple[float, float]:
    """x and y; black has no colour and gets that of white."""
    linear = [_decode(channel / 255) for channel in (r, g, b)]
    x, y, z = (sum(factor * part for factor, part in zip(row, linear, strict=True)) for row in _TO_XYZ)
    total = x + y + z
    if total <= 0:
        return _WHITE
    return round(x / total, XY_DIGITS), round(y / total, XY_DIGITS)


def from_hs(hue: float, saturation: float) -> Rgb:
    """From degrees and percent."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 360 / 360, min(max(saturation, 0.0), 100.0) / 100, 1.0)
    return full_value(red, green, blue)


def to_hs(r: float, g: float, b: float) -> tuple[float, float]:
    """Hue 0..360 (exclusive) and saturation 0..100."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*full_value(r, g, b))
    return round(hue * 360, 2) % 360, round(saturation * 100, 2)


def kelvin(value: float) -> int:
    """Kelvin within what lamps can do; 0 or less means none."""
    return round(min(max(value, MIN_KELVIN), MAX_KELVIN)) if value > 0 else 0


def from_mired(mired: float) -> int:
    return kelvin(1_000_000 / mired) if mired > 0 else 0


def to_mired(value: int) -> int:
    return round(1_000_000 / max(value, MIN_KELVIN))


def _clamp(value: float) -> int:
    return round(min(max(value, 0.0), 255.0))


def _encode(linear: float) -> float:
    return float(12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055)


def _decode(channel: float) -> float:
    return float(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)
