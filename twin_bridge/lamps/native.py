"""Our own family: `twin/v1/<id>/state` and `/availability` in, `twin/v1/<id>/set` out.

A lamp publishes its state retained, as `{"on":true,"bri":0.4,"r":255,"g":180,"b":120}`. Fields it leaves out keep their
last value; `mode` follows from the fields if it is missing. It answers every `set` with its state, changed or not: that
report is the only proof that the command arrived. An empty retained state takes the lamp out of the twin.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from twin_bridge.lamps.colour import kelvin
from twin_bridge.lamps.device_ids import is_device_id
from twin_bridge.lamps.payloads import fraction
from twin_bridge.lamps.protocol import (
    MAX_PAYLOAD_BYTES,
    NOTHING,
    BadPayload,
    Change,
    Outgoing,
    Reading,
    Report,
    Sighting,
)
from twin_bridge.protocol import Cap, Mode


class _State(BaseModel):
    """The payload. Strict: `"on":"yes"` is a mistake of the sender, not a guess for us. NaN and inf are refused."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False, frozen=True)

    on: bool | None = None
    bri: float | None = None
    mode: Annotated[Mode | None, Field(strict=False)] = None
    r: float | None = None
    g: float | None = None
    b: float | None = None
    ct: float | None = None
    effect: Annotated[str | None, Field(max_length=32)] = None
    name: Annotated[str | None, Field(max_length=64)] = None
    caps: list[Annotated[Cap, Field(strict=False)]] | None = Field(None, max_length=16)


class NativeLamps:
    source = "native"
    subscriptions: Sequence[str] = ("twin/v1/+/state", "twin/v1/+/availability")
    quiet_seconds = 900.0
    announced_first = False
    tells_all = False

    def start(self) -> Reading:
        return NOTHING

    def read(self, topic: str, payload: bytes) -> Reading:
        device_id, _, kind = topic.removeprefix("twin/v1/").partition("/")
        if not is_device_id(device_id):
            raise BadPayload(device_id[:64], "bad_id")
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise BadPayload(device_id, "too_large")
        if kind == "availability":
            return Reading((Sighting(device_id, online=_availability(device_id, payload)),))
        if not payload:
            return Reading((Sighting(device_id, removed=True),))
        return Reading((Sighting(device_id, report=_report(device_id, payload)),))

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        wish = change.wish
        values: dict[str, object] = {}
        for cap in Cap:  # a fixed order makes payloads comparable
            if cap not in change.fields:
                continue
            if cap is Cap.RGB:
                values |= {"r": wish.r, "g": wish.g, "b": wish.b}
            else:
                values[cap.value] = getattr(wish, cap.value)
        if change.trans:
            values["trans"] = change.trans
        return (Outgoing(f"twin/v1/{device_id}/set", to_json(values)),)

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        return ()  # its state is retained, and an empty `set` would be a command


def _availability(device_id: str, payload: bytes) -> bool | None:
    match payload:
        case b"online":
            return True
        case b"offline":
            return False
        case b"":  # the retained word was deleted: nothing is known any more
            return None
    raise BadPayload(device_id, "bad_availability")


def _report(device_id: str, payload: bytes) -> Report:
    try:
        # The parser stops at 200 levels of nesting by itself, as bad JSON.
        said = _State.model_validate_json(payload)
    except ValidationError as error:
        raise BadPayload(device_id, _reason(error)) from error
    colour = None not in (said.r, said.g, said.b)
    return Report(
        on=said.on,
        bri=None if said.bri is None else fraction(said.bri, 1.0),
        mode=said.mode or _mode(said, colour=colour),
        r=_channel(said.r) if colour else None,
        g=_channel(said.g) if colour else None,
        b=_channel(said.b) if colour else None,
        ct=None if said.ct is None else kelvin(said.ct),
        effect=said.effect,
        name=said.name,
        caps=None if said.caps is None else frozenset(said.caps),
    )


def _reason(error: ValidationError) -> str:
    match error.errors(include_url=False, include_context=False, include_input=False)[0]["type"]:
        case "json_invalid":
            return "bad_json"
        case "finite_number":
            return "not_finite"
    return "bad_field"


def _mode(said: _State, *, colour: bool) -> Mode | None:
    if colour:
        return Mode.RGB
    if said.ct is not None and said.ct > 0:
        return Mode.CT
    return None


def _channel(value: float | None) -> int | None:
    return None if value is None else round(min(max(value, 0.0), 255.0))
