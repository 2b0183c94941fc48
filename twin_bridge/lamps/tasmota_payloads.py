"""What Tasmota says of a lamp, and how it is told: percent, mired, `HSBColor` as "hue,saturation,brightness"."""

import re
from collections.abc import Iterator

from twin_bridge.lamps import colour
from twin_bridge.lamps.payloads import Payload
from twin_bridge.lamps.protocol import BadPayload, Change, Report
from twin_bridge.lamps.tasmota_device import COLDEST_MIRED, WARMEST_MIRED, TasmotaDevice, TasmotaLamp
from twin_bridge.protocol import Cap, Mode

_OF_LIGHTS = frozenset({"Dimmer", "Color", "HSBColor", "CT", "White"})
_MAX_SPEED = 40
"""Half seconds of a fade."""
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){1,5}")
_NUMBERS = re.compile(r"\d{1,3}(?:,\d{1,3}){0,4}")


def is_light(said: Payload) -> bool:
    """Whether only a lamp would say this."""
    return bool(_OF_LIGHTS & said.values.keys())


def read_power(device: TasmotaDevice, lamp: TasmotaLamp, word: str | None) -> bool | None:
    """A word such as `ON`, in the device's own language. Raises `BadPayload`."""
    if word is None:
        return None
    if word not in device.words:
        raise BadPayload(lamp.device_id, "bad_field")
    return word == device.words[0]


def read_state(device: TasmotaDevice, lamp: TasmotaLamp, said: Payload) -> Report:
    """What of a message concerns this lamp; nothing said gives an empty report. Raises `BadPayload`."""
    names = {lamp.power, f"POWER{lamp.relay}"}
    on = next((read_power(device, lamp, said.text(name)) for name in sorted(names) if name in said), None)
    if lamp.caps == frozenset({Cap.ON}):
        return Report(on=on, name=lamp.name, caps=lamp.caps, limits=lamp.limits)
    mode, rgb, ct = _look(lamp, said)
    red, green, blue = rgb or (None, None, None)
    return Report(
        on=on,
        bri=said.fraction(lamp.dimmer, 100),
        mode=mode,
        r=red,
        g=green,
        b=blue,
        ct=ct,
        name=lamp.name,
        caps=lamp.caps,
        limits=lamp.limits,
    )


def commands(lamp: TasmotaLamp, change: Change) -> Iterator[tuple[str, str]]:
    """Names of commands with their payloads, in their order.

    The fade comes first, because it counts for the next change only; the power last, so that a lamp does not flash up
    in its old colour.
    """
    wish, fields = change.wish, change.fields
    if change.trans:
        yield "Speed2", str(min(max(round(change.trans * 2), 1), _MAX_SPEED))
    if change.dark:
        yield lamp.power, "OFF"
        return
    percent = max(round(wish.bri * 100), 1 if wish.bri > 0 else 0)
    if Cap.RGB in fields and Cap.BRI in fields:
        hue, saturation = colour.to_hs(wish.r, wish.g, wish.b)
        yield "HSBColor", f"{round(hue) % 360},{round(saturation)},{percent}"
    elif Cap.RGB in fields:
        # Color2 keeps the brightness, which HSBColor would set as well
        yield "Color2", ",".join(str(channel) for channel in colour.full_value(wish.r, wish.g, wish.b))
    if Cap.CT in fields:
        yield "CT", str(min(max(colour.to_mired(wish.ct), COLDEST_MIRED), WARMEST_MIRED))
    if Cap.BRI in fields and Cap.RGB not in fields:
        yield lamp.dimmer, str(percent)
    if Cap.ON in fields:
        yield lamp.power, "ON"


def _look(lamp: TasmotaLamp, said: Payload) -> tuple[Mode | None, colour.Rgb | None, int | None]:
    """Mode, colour and white. A lamp with colours and whites reports both; the channels that shine decide."""
    mired, white = said.number("CT"), said.number("White")
    ct = colour.from_mired(mired) if mired else None
    hsb = _numbers(said, "HSBColor")
    rgb = colour.from_hs(hsb[0], hsb[1]) if len(hsb) == 3 else _colour(said)
    if rgb is None or (lamp.caps is not None and Cap.RGB not in lamp.caps):
        return (Mode.CT if ct else None), None, ct
    dark = hsb[2] == 0 if len(hsb) == 3 else rgb == (0, 0, 0)
    if dark and white:
        return (Mode.CT if ct else Mode.WHITE), None, ct
    if dark and white is not None:
        return None, None, None  # nothing shines: it is in whichever mode it was
    return Mode.RGB, rgb, None


def _colour(said: Payload) -> colour.Rgb | None:
    text = said.text("Color")
    if text is None:
        return None
    channels = list(bytes.fromhex(text)) if _HEX.fullmatch(text) else _numbers(said, "Color")
    return colour.full_value(channels[0], channels[1], channels[2]) if len(channels) >= 3 else None


def _numbers(said: Payload, key: str) -> list[int]:
    text = said.text(key)
    if text is None:
        return []
    if not _NUMBERS.fullmatch(text):
        raise BadPayload(said.device_id, "bad_field")
    return [int(number) for number in text.split(",")]
