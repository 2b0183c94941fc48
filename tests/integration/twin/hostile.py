"""What broken and hostile senders send: hypothesis draws some, and each is spoilt in several ways."""

import json
import random
from typing import Any

from hypothesis import strategies as st

LAMPS = ["fuzz_a", "fuzz_b", "fuzz_c"]
_WORDS = st.sampled_from([
    "on", "bri", "mode", "r", "g", "b", "ct", "effect", "name", "caps", "state", "brightness", "color", "color_temp",
    "color_mode", "POWER", "Dimmer", "HSBColor", "CT", "White", "output", "rgb", "id", "params", "result", "src",
    "method", "t", "cid", "set", "trans", "ttl", "seq", "token", "devices", "since", "epoch", "max_hz", "ts",
])  # fmt: skip
_NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([-1, 0, 0.5, 1, 254, 255, 256, 2**31, 2**63, 10**400, 1e308])
)
_SCALARS = st.one_of(
    st.none(), st.booleans(), _NUMBERS, st.text(max_size=40), st.sampled_from(["ON", "OFF", "on", "NaN", "rgb", "*"])
)
_KEYS = st.one_of(_WORDS, st.text(max_size=10))
VALUES: "st.SearchStrategy[Any]" = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=6)),
    max_leaves=8,
)
OBJECTS: "st.SearchStrategy[dict[str, Any]]" = st.dictionaries(_KEYS, VALUES, max_size=8)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()  # NaN and Infinity as Python writes them, which is not JSON


PAYLOADS: "st.SearchStrategy[bytes]" = st.one_of(
    OBJECTS.map(_json),
    VALUES.map(_json),
    st.binary(max_size=200),
    st.text(max_size=50).map(str.encode),
    st.tuples(OBJECTS.map(_json), st.integers(0, 50)).map(lambda pair: pair[0][: pair[1]]),  # cut off
    st.integers(1, 6000).map(lambda depth: b'{"on":' + b"[" * depth),
    st.sampled_from([b"", b"\0", b"online", b"offline", b"ON", b"{}", b"[]", b"x" * 17_000, b'{"bri":1e999}']),
)
TOPICS: "st.SearchStrategy[str]" = st.one_of(
    st.tuples(
        st.sampled_from([
            "twin/v1/%s/state", "twin/v1/%s/availability", "zigbee2mqtt/%s", "zigbee2mqtt/%s/availability",
            "zigbee2mqtt/bridge/%s", "homeassistant/light/%s/config", "tele/%s/STATE", "tele/%s/LWT", "stat/%s/RESULT",
            "tasmota/discovery/%s/config", "%s/status/light:0", "%s/events/rpc", "%s/online", "%s/rpc",
            "fuzz/light/%s/state",
        ]),
        st.sampled_from([*LAMPS, "bridge", "devices", "state", "ã", "a b", "." * 70]),
    ).map(lambda pair: pair[0] % pair[1]),
    st.sampled_from([f"twin/v1/{lamp}/state" for lamp in LAMPS]),
)  # fmt: skip

_STATE = st.dictionaries(_WORDS, VALUES, max_size=6)
CLIENT_OBJECTS: "st.SearchStrategy[dict[str, Any]]" = st.one_of(
    OBJECTS,
    st.fixed_dictionaries({"t": st.sampled_from(["auth", "seen", "cmd", "ping", "state", "hello", ""])}, optional={
        "cid": st.text(max_size=70), "id": st.sampled_from([*LAMPS, "+", "#", "../x"]), "set": VALUES, "state": _STATE,
        "trans": _NUMBERS, "ttl": _NUMBERS, "seq": _NUMBERS, "ts": VALUES, "token": VALUES, "epoch": VALUES,
        "client": st.text(max_size=70), "since": _NUMBERS, "devices": VALUES, "max_hz": _NUMBERS,
    }),
    st.fixed_dictionaries({
        "t": st.just("cmd"), "cid": st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), "id": st.sampled_from(LAMPS),
        "set": st.lists(st.sampled_from(["on", "bri", "rgb", "ct", "effect"]), max_size=3), "state": _STATE,
    }),
)  # fmt: skip
NO_MESSAGES: "st.SearchStrategy[str | bytes]" = st.one_of(
    VALUES.filter(lambda value: not isinstance(value, dict)).map(json.dumps),
    st.text(max_size=60).filter(lambda text: not text.strip().startswith("{")),
    st.binary(max_size=60),
    st.integers(300, 6000).map(lambda depth: "[" * depth),
    st.integers().filter(lambda version: version != 1).map(lambda version: json.dumps({"t": "ping", "v": version})),
    st.just('{"t":"ping","ts":'),
    st.just("x" * 17_000),
)
"""What ends a conversation."""


def spoilt(payload: bytes, dice: random.Random) -> bytes:
    """The payload with some bytes lost, doubled or changed."""
    data = bytearray(payload)
    for _ in range(dice.randint(1, 3)):
        at = dice.randint(0, len(data))
        match dice.randint(0, 3):
            case 0:
                del data[at : at + dice.randint(1, 4)]
            case 1:
                data[at:at] = dice.choice([b'"', b"{", b"}", b",", b"null", b"1e999", b"-", b"\xff", b"\0"])
            case 2:
                data[at:at] = data[: dice.randint(0, 8)]
            case 3:
                del data[at:]
    return bytes(data)


def mixed(objects: list[dict[str, Any]], dice: random.Random) -> dict[str, Any]:
    """Fields of two objects, some with the value of another field."""
    fields = {**dice.choice(objects), **dice.choice(objects)}
    for name in list(fields):
        match dice.randint(0, 5):
            case 0:
                del fields[name]
            case 1:
                fields[name] = dice.choice(list(dice.choice(objects).values()) or [None])
    return fields
