"""What clients say in protocol v1, how it is read, and the published schema of both directions."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from twin_bridge.protocol import SUBPROTOCOL, VERSION, Cap, ErrorCode, Long, Message, ServerMessage, Wire


class Auth(Message):
    """Who connects, and what it wants to see. All fields may be left at their defaults."""

    t: Literal["auth"]
    token: str = Field("", max_length=512)
    client: str = Field("", max_length=64)
    """A stable name makes `cid` idempotent across reconnects."""
    epoch: str = Field("", max_length=64)
    since: Long = 0
    devices: list[Annotated[str, Field(max_length=64)]] = Field(default=["*"], max_length=1000)
    """Ids, or `*` for all; empty means all too."""
    max_hz: int = Field(0, ge=0, le=1000)
    """At most so many `state` messages a second; 0 means as they come."""


class Seen(Message):
    t: Literal["seen"]
    seq: Long


class Wish(Wire):
    """The values of a command; only those that its `set` names count."""

    on: bool = False
    bri: float = 0.0
    r: int = 0
    g: int = 0
    b: int = 0
    ct: int = 0
    effect: str = Field("", max_length=32)


class Cmd(Message):
    t: Literal["cmd"]
    cid: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")
    id: str = Field(max_length=64)
    mask: list[Cap] = Field(alias="set", max_length=8)
    state: Wish
    trans: float = Field(0.0, ge=0, le=60)
    """Seconds of transition."""
    ttl: int = Field(0, ge=0, le=60_000)
    """Milliseconds until `timeout`; 0 means 3000 beyond the transition."""


class Ping(Message):
    t: Literal["ping"]
    ts: Long = 0


ClientMessage = Annotated[Auth | Seen | Cmd | Ping, Field(discriminator="t")]
_CLIENT: TypeAdapter[Auth | Seen | Cmd | Ping] = TypeAdapter(ClientMessage)


class Refused(Exception):
    """A message that is not done, with the words for its sender. `fatal` ends the connection."""

    def __init__(self, code: ErrorCode, detail: str, *, cid: str = "", fatal: bool = False) -> None:
        super().__init__(detail)
        self.code, self.detail, self.cid, self.fatal = code, detail, cid, fatal


def read(text: str) -> Auth | Seen | Cmd | Ping:
    """The message in `text`. Raises `Refused`, fatal when it is no protocol message at all."""
    try:
        message = _CLIENT.validate_json(text)
    except ValidationError as error:
        raise _refusal(text, error) from error
    if message.v != VERSION:
        detail = f"This bridge speaks version {VERSION} of the protocol, not {message.v}."
        raise Refused(ErrorCode.BAD_MESSAGE, detail, fatal=True)
    return message


def _refusal(text: str, error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_context=False)[0]
    kind = first["type"]
    if kind in {"json_invalid", "model_attributes_type", "dict_type"}:
        return Refused(ErrorCode.BAD_MESSAGE, "A message is one JSON object in one text frame.", fatal=True)
    cid = _cid(text)
    if kind.startswith("union_tag"):
        return Refused(ErrorCode.UNKNOWN_TYPE, "t must be one of auth, seen, cmd, ping.", cid=cid)
    # The first part of the place is the tag of the union, which the sender did not write as a field.
    field = ".".join(str(part) for part in first["loc"][1:])
    return Refused(ErrorCode.BAD_FIELD, f"{field}: {first['msg']}", cid=cid)


def _cid(text: str) -> str:
    cid = from_json(text).get("cid", "")
    return cid[:64] if isinstance(cid, str) else ""


def schema() -> dict[str, Any]:
    """JSON Schema of every message, `server` and `client`, for those who generate code."""
    server: TypeAdapter[ServerMessage] = TypeAdapter(Annotated[ServerMessage, Field(discriminator="t")])
    return {
        "subprotocol": SUBPROTOCOL,
        "version": VERSION,
        "server": server.json_schema(mode="serialization"),
        "client": _CLIENT.json_schema(),
    }
