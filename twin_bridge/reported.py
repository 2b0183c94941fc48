"""What a lamp's own words mean for the device that is shown."""

from collections.abc import Iterable

from twin_bridge.lamps.protocol import Report
from twin_bridge.protocol import Cap, LampState, Mode


def state_after(state: LampState, report: Report) -> LampState:
    """The report laid over the state before."""
    said = {name: getattr(report, name) for name in ("on", "bri", "r", "g", "b", "ct", "effect", "mode")}
    update = {name: value for name, value in said.items() if value is not None}
    if "mode" not in update and "bri" in update and state.mode is Mode.ONOFF:
        update["mode"] = Mode.BRI
    return state.model_copy(update=update)


def caps_after(known: Iterable[Cap], report: Report) -> list[Cap]:
    """What the lamp declares, or else what it has shown so far."""
    if report.caps is not None:
        found = set(report.caps)
    else:
        found = set(known)
        found |= {Cap.BRI} if report.bri is not None else set()
        found |= {Cap.RGB} if report.r is not None else set()
        found |= {Cap.CT} if report.ct else set()
        found |= {Cap.EFFECT} if report.effect is not None else set()
    return [cap for cap in Cap if cap in found]
