"""The parts of a Shelly that are lamps: `light:0`, `rgb:0`, `rgbw:0`, `cct:0`, `rgbcct:0`; `switch:0` is a relay."""

import re
from dataclasses import dataclass

from twin_bridge.lamps import colour
from twin_bridge.lamps.payloads import Payload
from twin_bridge.lamps.protocol import BadPayload, Change, Report
from twin_bridge.protocol import Cap, Mode

_KEY = re.compile(r"(light|rgbw|rgbcct|rgb|cct|switch):(\d{1,3})")
_NAMESPACES = {
    "light": "Light", "rgb": "RGB", "rgbw": "RGBW", "cct": "CCT", "rgbcct": "RGBCCT", "switch": "Switch",
}  # fmt: skip
_CAPS = {
    "light": frozenset({Cap.ON, Cap.BRI}),
    "rgb": frozenset({Cap.ON, Cap.BRI, Cap.RGB}),
    "rgbw": frozenset({Cap.ON, Cap.BRI, Cap.RGB}),
    "cct": frozenset({Cap.ON, Cap.BRI, Cap.CT}),
    "rgbcct": frozenset({Cap.ON, Cap.BRI, Cap.RGB, Cap.CT}),
    "switch": frozenset({Cap.ON}),
}


@dataclass(frozen=True)
class Component:
    device_id: str
    name: str
    kind: str
    number: int

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.number}"

    @property
    def namespace(self) -> str:
        """Of its methods: `Light.Set`."""
        return _NAMESPACES[self.kind]

    @property
    def caps(self) -> frozenset[Cap]:
        return _CAPS[self.kind]


def kind_of(key: str) -> tuple[str, int] | None:
    """`light:0` in parts; None for a component that is no lamp."""
    found = _KEY.fullmatch(key)
    return (found[1], int(found[2])) if found else None


def read_status(lamp: Component, said: Payload) -> Report:
    """A status, or the changed part of one: what is missing keeps its value. Raises `BadPayload`."""
    rgb = _rgb(said)
    ct = said.number("ct") if Cap.CT in lamp.caps else None
    mode_word = said.text("mode")
    if rgb == (0, 0, 0) and said.number("white"):
        mode, rgb = Mode.WHITE, None
    elif rgb is not None and mode_word in {None, "rgb"}:
        mode, ct = Mode.RGB, None
    elif ct is not None and mode_word in {None, "cct"}:
        mode, rgb = Mode.CT, None
    else:
        mode = None
    red, green, blue = rgb or (None, None, None)
    return Report(
        on=said.flag("output"),
        bri=said.fraction("brightness", 100) if Cap.BRI in lamp.caps else None,
        mode=mode,
        r=red,
        g=green,
        b=blue,
        ct=None if ct is None else colour.kelvin(ct),
        name=lamp.name,
        caps=lamp.caps,
    )


def parameters(lamp: Component, change: Change, *, lit: bool) -> dict[str, object]:
    """Of the call `Set`, which wants `on` or `brightness` at least: without either, `on` stays what it is (`lit`)."""
    wish, fields = change.wish, change.fields
    values: dict[str, object] = {"id": lamp.number}
    if change.dark:
        values["on"] = False
    else:
        if Cap.ON in fields:
            values["on"] = True
        if Cap.BRI in fields:
            values |= {"brightness": max(round(wish.bri * 100), 1)} if wish.bri > 0 else {"on": False}
        if Cap.RGB in fields:
            values["rgb"] = list(colour.full_value(wish.r, wish.g, wish.b))
            values |= {"white": 0} if lamp.kind == "rgbw" else {}
        if Cap.CT in fields:
            values["ct"] = wish.ct
        if lamp.kind == "rgbcct" and {Cap.RGB, Cap.CT} & fields:
            values["mode"] = "rgb" if Cap.RGB in fields else "cct"
        if not {"on", "brightness"} & values.keys():
            values["on"] = lit
    if change.trans and lamp.kind != "switch":
        values["transition_duration"] = change.trans
    return values


def _rgb(said: Payload) -> colour.Rgb | None:
    channels = said.items("rgb")
    if not channels:
        return None
    if len(channels) != 3:
        raise BadPayload(said.device_id, "bad_field")
    red, green, blue = (Payload(said.device_id, {"c": channel}).number("c") or 0.0 for channel in channels)
    return colour.full_value(red, green, blue)
