"""What a command must be before anything is sent: for a known lamp, of fields it has, within range."""

from collections.abc import Iterable

from twin_bridge.client_messages import Cmd, Refused, Wish
from twin_bridge.lamps.native import MAX_KELVIN, MIN_KELVIN
from twin_bridge.protocol import Cap, Device, ErrorCode


def check(cmd: Cmd, device: Device | None) -> Device:
    """The device that is meant. Raises `Refused` with words for the sender."""
    if device is None:
        detail = f"There is no device {cmd.id!r} here. Those that there are come in the snapshot, and at GET /devices."
        raise Refused(ErrorCode.UNKNOWN_DEVICE, detail, cid=cmd.cid)
    if problem := _problem(frozenset(cmd.mask), cmd.state, device.caps):
        raise Refused(ErrorCode.BAD_FIELD, problem, cid=cmd.cid)
    return device


def _problem(fields: frozenset[Cap], wish: Wish, caps: Iterable[Cap]) -> str:
    if not fields:
        return "set must name at least one field, such as on"
    if missing := sorted(fields - set(caps)):
        return f"this lamp cannot do {', '.join(missing)}; its caps are {', '.join(caps)}"
    if {Cap.RGB, Cap.CT} <= fields:
        return "rgb and ct exclude each other"
    if Cap.BRI in fields and not 0 <= wish.bri <= 1:
        return "bri must be 0..1"
    return _colour_problem(fields, wish)


def _colour_problem(fields: frozenset[Cap], wish: Wish) -> str:
    if Cap.RGB in fields and not all(0 <= channel <= 255 for channel in (wish.r, wish.g, wish.b)):
        return "r, g and b must be 0..255"
    if Cap.CT in fields and not MIN_KELVIN <= wish.ct <= MAX_KELVIN:
        return f"ct must be {MIN_KELVIN}..{MAX_KELVIN} kelvin"
    return ""
