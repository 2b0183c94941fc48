"""What a command must be before anything is sent: for a known lamp, of fields it has, within range."""

from collections.abc import Iterable

from twin_bridge.client_messages import Cmd, Refused, Wish
from twin_bridge.lamps.protocol import Limits
from twin_bridge.protocol import Cap, Device, ErrorCode


def check(cmd: Cmd, device: Device | None, limits: Limits) -> Device:
    """The device that is meant, which accepts `limits`. Raises `Refused` with words for the sender."""
    if device is None:
        detail = f"There is no device {cmd.id!r} here. Those that there are come in the snapshot, and at GET /devices."
        raise Refused(ErrorCode.UNKNOWN_DEVICE, detail, cid=cmd.cid)
    if problem := _problem(frozenset(cmd.mask), cmd.state, device.caps, limits):
        raise Refused(ErrorCode.BAD_FIELD, problem, cid=cmd.cid)
    return device


def _problem(fields: frozenset[Cap], wish: Wish, caps: Iterable[Cap], limits: Limits) -> str:
    if not fields:
        return "set must name at least one field, such as on"
    if missing := sorted(fields - set(caps)):
        return f"this lamp cannot do {', '.join(missing)}; its caps are {', '.join(caps)}"
    if {Cap.RGB, Cap.CT} <= fields:
        return "rgb and ct exclude each other"
    if Cap.BRI in fields and not 0 <= wish.bri <= 1:
        return "bri must be 0..1"
    if Cap.EFFECT in fields and limits.effects and wish.effect not in {"", *limits.effects}:
        return f"effect must be empty or one of {', '.join(limits.effects)}"
    return _colour_problem(fields, wish, limits)


def _colour_problem(fields: frozenset[Cap], wish: Wish, limits: Limits) -> str:
    if Cap.RGB in fields and not all(0 <= channel <= 255 for channel in (wish.r, wish.g, wish.b)):
        return "r, g and b must be 0..255"
    warmest, coldest = limits.kelvin
    if Cap.CT in fields and not warmest <= wish.ct <= coldest:
        return f"ct must be {warmest}..{coldest} kelvin"
    return ""
