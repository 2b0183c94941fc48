"""The JSON that Zigbee2MQTT, Home Assistant's JSON lights and ESPHome share: one state in, one command out.

`{"state":"ON","brightness":120,"color_mode":"xy","color":{"x":0.3,"y":0.4},"color_temp":370}`. `color_mode` decides
what counts: the other fields are left over from earlier. They differ in scales, in the words for a hue, and in which
colours a lamp understands; that is what `JsonLight` tells.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from twin_bridge.lamps import colour
from twin_bridge.lamps.payloads import Payload
from twin_bridge.lamps.protocol import BadPayload, Change, Limits, Report
from twin_bridge.protocol import Cap, Mode


class ColourForm(StrEnum):
    """How a lamp wants to be told a colour."""

    RGB = "rgb"
    RGBW = "rgbw"
    """With a white channel, which a colour leaves dark."""
    RGBWW = "rgbww"
    """With a cold and a warm white channel."""
    XY = "xy"
    HS = "hs"


GAMMA = 2.8
"""ESPHome's `gamma_correct` unless set otherwise; it is not announced."""
_COLOUR_MODES = frozenset({"rgb", "rgbw", "rgbww", "rgbct", "xy", "hs"})
_TWO_WHITES = "cwww"
"""A cold and a warm white channel, which is how ESPHome shows a white temperature."""
_WHITE_CHANNELS = {ColourForm.RGBW: ("w",), ColourForm.RGBWW: ("c", "w")}


@dataclass(frozen=True)
class JsonLight:
    """How one lamp words its states and commands."""

    name: str = ""
    caps: frozenset[Cap] | None = None
    """None: what it has shown so far."""
    scale: float = 255.0
    """Brightness at its fullest."""
    in_kelvin: bool = False
    """`color_temp` is in kelvin, not in mired."""
    form: ColourForm = ColourForm.RGB
    hue_words: tuple[str, str] = ("h", "s")
    words: tuple[str, str] = ("ON", "OFF")
    suffix: str = ""
    """After each field, where several lamps share one topic: `state_l1`."""
    whole_seconds: bool = False
    """It ignores a transition with a fraction."""
    limits: Limits = field(default_factory=Limits)

    def without_white_temperature(self) -> "JsonLight":
        """The same, never to be told a white temperature."""
        return self if self.caps is None else replace(self, caps=self.caps - {Cap.CT})


def is_blind_to_white(light: JsonLight, said: Payload) -> bool:
    """Whether it shows its white as two channels, and nobody told how warm and how cold these are."""
    return said.text(f"color_mode{light.suffix}") == _TWO_WHITES and light.limits.kelvin == Limits().kelvin


def read_light(light: JsonLight, said: Payload) -> Report:
    """The state of one lamp. Raises `BadPayload`."""
    suffix = light.suffix
    mode_word = said.text(f"color_mode{suffix}")
    mode, rgb = _colour(said.inner(f"color{suffix}"), mode_word, light.hue_words)
    ct = None
    if mode_word in {None, "color_temp"} and rgb is None:
        ct = _kelvin(said.number(f"color_temp{suffix}"), in_kelvin=light.in_kelvin)
        mode = Mode.CT if ct else mode
    elif mode_word == _TWO_WHITES:
        ct = _mixed(said.inner(f"color{suffix}"), light.limits)
        mode = Mode.CT if ct else mode
    red, green, blue = rgb or (None, None, None)
    on, unknown = _switch(said, f"state{suffix}", light.words)
    return Report(
        on=on,
        bri=said.fraction(f"brightness{suffix}", light.scale),
        mode=mode,
        r=red,
        g=green,
        b=blue,
        ct=ct,
        effect=said.effect() if light.caps is None or Cap.EFFECT in light.caps else None,
        name=light.name or None,
        caps=light.caps,
        limits=light.limits,
        unknown=unknown,
    )


def write_light(light: JsonLight, change: Change, *, lit: bool) -> dict[str, object]:
    """The command; `lit` is whether the lamp is on, because many firmwares do nothing without a `state`."""
    values: dict[str, object] = {}
    wish = change.wish
    out = change.dark or (Cap.BRI in change.fields and not wish.bri and Cap.ON not in change.fields)
    if out:
        values["state"] = light.words[1]
    elif Cap.ON in change.fields or lit:
        values["state"] = light.words[0]
    if not change.dark:
        if Cap.BRI in change.fields and not out:  # Zigbee2MQTT takes a brightness of 0 with ON for the dimmest light
            values["brightness"] = max(round(wish.bri * light.scale), 1 if wish.bri > 0 else 0)
        if Cap.RGB in change.fields:
            values["color"] = _colour_words(light, (wish.r, wish.g, wish.b))
        if Cap.CT in change.fields:
            values["color_temp"] = wish.ct if light.in_kelvin else colour.to_mired(wish.ct)
        if Cap.EFFECT in change.fields:
            values["effect"] = wish.effect or _no_effect(light.limits.effects)
    values = {f"{name}{light.suffix}": value for name, value in values.items()}
    if change.trans:
        whole = light.whole_seconds or change.trans == int(change.trans)
        values["transition"] = round(change.trans) if whole else change.trans
    return values


def _switch(said: Payload, key: str, words: tuple[str, str]) -> tuple[bool | None, bool]:
    """On, off or not said; and whether the lamp says that it does not know."""
    word = said.text(key)
    if word is None:
        return None, key in said
    found = [word.upper() == each.upper() for each in words]
    if not any(found):
        raise BadPayload(said.device_id, "bad_field")
    return found[0], False


def _colour(said: Payload, mode_word: str | None, hue_words: tuple[str, str]) -> tuple[Mode | None, colour.Rgb | None]:
    if mode_word is not None and mode_word not in _COLOUR_MODES:
        return {"brightness": Mode.BRI, "onoff": Mode.ONOFF, "white": Mode.WHITE, _TWO_WHITES: Mode.WHITE}.get(
            mode_word
        ), None
    rgb = _rgb(said, mode_word, hue_words)
    if rgb is None:
        return None, None
    if rgb == (0, 0, 0) and any(said.number(channel) for channel in ("c", "w")):
        return Mode.WHITE, None  # its white channels shine, not its colours
    return Mode.RGB, rgb


def _rgb(said: Payload, mode_word: str | None, hue_words: tuple[str, str]) -> colour.Rgb | None:
    channels = [said.number(channel) for channel in ("r", "g", "b")]
    place = [said.number(axis) for axis in ("x", "y")]
    hue = [said.number(word) for word in hue_words]
    if place[0] is not None and place[1] is not None and mode_word in {None, "xy"}:
        return colour.from_xy(place[0], place[1])
    if hue[0] is not None and hue[1] is not None and mode_word in {None, "hs"}:
        return colour.from_hs(hue[0], hue[1])
    if channels[0] is not None and channels[1] is not None and channels[2] is not None:
        return colour.full_value(channels[0], channels[1], channels[2])
    return None


def _colour_words(light: JsonLight, rgb: colour.Rgb) -> dict[str, float]:
    if light.form is ColourForm.XY:
        return dict(zip(("x", "y"), colour.to_xy(*rgb), strict=True))
    if light.form is ColourForm.HS:
        return dict(zip(light.hue_words, colour.to_hs(*rgb), strict=True))
    words: dict[str, float] = dict(zip(("r", "g", "b"), colour.full_value(*rgb), strict=True))
    return words | dict.fromkeys(_WHITE_CHANNELS.get(light.form, ()), 0)


def _kelvin(value: float | None, *, in_kelvin: bool) -> int | None:
    if value is None or value <= 0:
        return None
    return colour.kelvin(value) if in_kelvin else colour.from_mired(value)


def _mixed(said: Payload, limits: Limits) -> int | None:
    """The white temperature that two channels make; None without light, or if nobody told how warm and cold they are.

    Their light mixes after the gamma correction, in proportion to the mired.
    """
    cold, warm = said.fraction("c", 255) or 0.0, said.fraction("w", 255) or 0.0
    if not cold + warm or limits.kelvin == Limits().kelvin:
        return None
    share = warm**GAMMA / (cold**GAMMA + warm**GAMMA)
    warmest, coldest = (1_000_000 / kelvin for kelvin in limits.kelvin)
    return colour.from_mired(coldest + share * (warmest - coldest))


def _no_effect(effects: tuple[str, ...]) -> str:
    """The lamp's own word for it: ESPHome looks effects up by their exact name."""
    return next((effect for effect in effects if effect.lower() == "none"), "none")
