"""Whether a reported state is the one that was asked for. Lamps round, so equality would never acknowledge."""

from collections.abc import Iterable

from twin_bridge.client_messages import Wish
from twin_bridge.protocol import Cap, LampState, Mode

BRI_TOLERANCE = 0.02
"""Lamps count brightness in 100 or 254 steps; half a step each way and their own rounding."""
CT_TOLERANCE = 0.05
"""Mired steps are coarse at the cold end."""
RGB_TOLERANCE = 6
"""Per channel, after a trip through hue and saturation or xy."""


def matches(state: LampState, wish: Wish, fields: Iterable[Cap]) -> bool:
    """Compare only `fields`. A lamp that was to go dark only has to be dark."""
    wanted = set(fields)
    if Cap.ON in wanted:
        if state.on != wish.on:
            return False
        if not wish.on:
            return True
    return all(_matches(state, wish, field) for field in wanted)


def _matches(state: LampState, wish: Wish, field: Cap) -> bool:
    match field:
        case Cap.ON:
            return state.on == wish.on
        case Cap.BRI:
            if wish.bri == 0 and not state.on:
                return True  # some lamps keep their brightness and go off
            return abs(state.bri - wish.bri) <= BRI_TOLERANCE
        case Cap.CT:
            return state.mode is Mode.CT and abs(state.ct - wish.ct) <= CT_TOLERANCE * wish.ct
        case Cap.EFFECT:
            return state.effect == wish.effect
        case Cap.RGB:
            got, want = _full_value(state.r, state.g, state.b), _full_value(wish.r, wish.g, wish.b)
            return state.mode is Mode.RGB and all(
                abs(one - other) <= RGB_TOLERANCE for one, other in zip(got, want, strict=True)
            )


def _full_value(*channels: int) -> tuple[float, ...]:
    """The colour with its largest channel at 255: how bright it is, `bri` says."""
    largest = max(channels)
    return tuple(channel * 255 / largest for channel in channels) if largest else (0.0, 0.0, 0.0)


def overlay(state: LampState, wish: Wish, fields: Iterable[Cap]) -> LampState:
    """`state` as it will be once `fields` of `wish` are applied."""
    update: dict[str, object] = {}
    for field in fields:
        if field is Cap.RGB:
            update |= {"r": wish.r, "g": wish.g, "b": wish.b, "mode": Mode.RGB}
        elif field is Cap.CT:
            update |= {"ct": wish.ct, "mode": Mode.CT}
        else:
            update[field.value] = getattr(wish, field.value)
    return state.model_copy(update=update)
