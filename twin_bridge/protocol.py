"""Protocol v1 of the WebSocket (`twin.v1.json`): its words, and what the server says (clients: client_messages.py).
docs/twin.md tells how the messages follow each other.

The shapes obey Unity's `JsonUtility`: one flat object with `t` as its kind, lists of one class, no maps, no null, no
"number or string", enums as strings, time as epoch milliseconds. A field that is missing reads as its default, so the
server sends whole devices, and a command says with `set` which fields it means. Both sides ignore unknown keys.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION = 1
SUBPROTOCOL = "twin.v1.json"
MAX_MESSAGE_BYTES = 16 * 1024
"""Longest message a client may send."""
SEND_BUFFER_BYTES = 64 * 1024
"""What the system may hold for one client. Left to itself it holds megabytes, seconds of states that are long past."""
HEARTBEAT_SECONDS = 15
"""How often a client should send `ping`; the server pings by itself on the WebSocket level every 20 s."""

DEVICE_ID = r"^(?!bridge$)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
"""No `/`, `+` or `#`: an id is one level of a topic. `bridge` is where bridges say how they are."""


class Mode(StrEnum):
    """Which fields of a state decide how the lamp looks."""

    RGB = "rgb"
    """`r`, `g`, `b`, at full value; brightness is `bri`."""
    CT = "ct"
    """`ct`, a white of that many kelvin."""
    WHITE = "white"
    """A white without a known temperature."""
    BRI = "bri"
    """A lamp that only dims."""
    ONOFF = "onoff"
    """A lamp that only switches."""


class Cap(StrEnum):
    """What a lamp can do, which is also what a command may set."""

    ON = "on"
    BRI = "bri"
    RGB = "rgb"
    CT = "ct"
    EFFECT = "effect"


class Stage(StrEnum):
    """How far a command is; everything after `published` is final."""

    ACCEPTED = "accepted"
    """It is understood, and the lamp can do it."""
    PUBLISHED = "published"
    """The broker has it (PUBACK)."""
    APPLIED = "applied"
    """The lamp reports the state that was asked for."""
    SUPERSEDED = "superseded"
    """A newer command for the same fields, or an off, came before the lamp reported."""
    TIMEOUT = "timeout"
    """The lamp did not report that state within `ttl`."""
    FAILED = "failed"
    """The broker went away before it confirmed the command, or the lamp refused it; it will not be sent again."""
    OFFLINE = "offline"
    """The lamp is announced as offline, or the broker is away. Nothing was sent, nothing will be sent later."""

    @property
    def final(self) -> bool:
        return self not in {Stage.ACCEPTED, Stage.PUBLISHED}


class Role(StrEnum):
    """What a token allows."""

    VIEWER = "viewer"
    """Everything is shown; a command is refused with `forbidden`."""
    OPERATOR = "operator"
    """May switch lamps."""


class ErrorCode(StrEnum):
    """What an `error` is about. The connection goes on unless a close code follows."""

    BAD_MESSAGE = "bad_message"
    UNKNOWN_TYPE = "unknown_type"
    BAD_FIELD = "bad_field"
    UNKNOWN_DEVICE = "unknown_device"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    AUTH_TIMEOUT = "auth_timeout"
    RATE = "rate"
    SLOW = "slow"
    FULL = "full"


class Wire(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        populate_by_name=True,
        json_schema_serialization_defaults_required=True,  # what is sent is sent whole
    )


Long = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""What a client may say and hear back: clients in C# hold it as a `long`."""


class Message(Wire):
    v: int = VERSION


class LampState(Wire):
    """How a lamp looks: `bri` 0..1, `r` `g` `b` 0..255 at full value, `ct` in kelvin (0: none)."""

    on: bool = False
    bri: float = 0.0
    mode: Mode = Mode.ONOFF
    r: int = 0
    g: int = 0
    b: int = 0
    ct: int = 0
    effect: str = ""


class Device(Wire):
    """A lamp. `state` is what it reported last, never what somebody wishes; wishes are `pending` and `desired`."""

    id: str
    name: str
    src: str
    """Family of its payloads: `native`, `z2m`, `ha`, `tasmota`, `shelly`, `plain`, `json` or `esphome`."""
    online: bool
    """Not announced as offline."""
    stale: bool
    """The state may be old: nothing was heard for long, a command stayed unanswered, or it is a retained relic."""
    known: bool
    """It reported a state at least once; `state` means nothing before."""
    rev: int
    """Grows by one with every change of this device."""
    ts: int
    """When the state was received. Never order by it; order by `rev`."""
    caps: list[Cap]
    state: LampState
    pending: bool
    desired: LampState
    """`state` with the commands under way applied; equal to `state` while nothing is pending."""


class Hello(Message):
    t: Literal["hello"] = "hello"
    server: str
    auth: bool
    """Whether `auth` must be the next message, within 10 s."""
    hb: int = HEARTBEAT_SECONDS
    max_msg: int = MAX_MESSAGE_BYTES
    now: int


class Welcome(Message):
    t: Literal["welcome"] = "welcome"
    role: Role
    epoch: str
    """`seq` means nothing in another epoch. It outlives a restart of the bridge, as long as its database does."""
    seq: int
    resumed: bool
    """`since` was understood: the snapshot holds only what changed after it."""
    broker: bool
    replay: bool = False
    """What follows is the past: an epoch of its own, and no commands."""


class Snapshot(Message):
    """Devices in `parts` messages; keep `seq` as `since` after the last part. Also tells removals while connected."""

    t: Literal["snapshot"] = "snapshot"
    epoch: str
    seq: int
    part: int
    parts: int
    full: bool
    """Forget every device that no part names."""
    devices: list[Device]
    removed: list[str]


class State(Message):
    """Devices that changed; `skipped` updates in between were conflated for this client."""

    t: Literal["state"] = "state"
    seq: int
    skipped: int
    devices: list[Device]


class Ack(Message):
    t: Literal["ack"] = "ack"
    cid: str
    id: str
    stage: Stage
    error: str = ""
    rev: int
    ms: int
    """Since the command was accepted."""


class Pong(Message):
    t: Literal["pong"] = "pong"
    ts: Long
    now: int
    seq: int


class Status(Message):
    t: Literal["status"] = "status"
    broker: bool
    reason: str
    now: int


class Error(Message):
    t: Literal["error"] = "error"
    code: ErrorCode
    cid: str = ""
    error: str


ServerMessage = Hello | Welcome | Snapshot | State | Ack | Pong | Status | Error
