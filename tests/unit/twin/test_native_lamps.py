import json

import pytest

from twin_bridge.client_messages import Wish
from twin_bridge.lamps.native import NativeLamps
from twin_bridge.lamps.protocol import BadPayload, Change, Report, Sighting
from twin_bridge.protocol import Cap, Mode

lamps = NativeLamps()


def state(payload: bytes) -> Report | None:
    return read("twin/v1/lamp_1/state", payload).report


def read(topic: str, payload: bytes) -> Sighting:
    (seen,) = lamps.read(topic, payload).sightings
    return seen


def test_a_full_state_is_read():
    payload = (
        b'{"on":true,"bri":0.48,"mode":"ct","r":1,"g":2,"b":3,"ct":2700,"effect":"candle","name":"Desk","caps":["on"]}'
    )
    assert state(payload) == Report(
        on=True, bri=0.48, mode=Mode.CT, r=1, g=2, b=3, ct=2700, effect="candle", name="Desk", caps=frozenset({Cap.ON})
    )


def test_what_a_lamp_leaves_out_or_says_as_null_stays_unsaid():
    assert state(b'{"on":false,"bri":null}') == Report(on=False)


def test_the_mode_follows_from_the_fields():
    assert state(b'{"r":1,"g":2,"b":3}') == Report(mode=Mode.RGB, r=1, g=2, b=3)
    assert state(b'{"ct":2700}') == Report(mode=Mode.CT, ct=2700)


def test_half_a_colour_is_no_colour():
    assert state(b'{"r":1,"g":2}') == Report()


def test_what_is_out_of_range_is_clamped():
    assert state(b'{"bri":7,"r":-1,"g":300,"b":12.6,"ct":99}') == Report(
        bri=1.0, mode=Mode.RGB, r=0, g=255, b=13, ct=1000
    )
    assert state(b'{"ct":-3}') == Report(ct=0)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"ON", "bad_json"),
        (b"[" * 1000, "bad_json"),
        (b"\xff\xfe", "bad_json"),
        (b"[]", "bad_field"),
        (b'{"on":1}', "bad_field"),
        (b'{"mode":"disco"}', "bad_field"),
        (b'{"bri":NaN}', "not_finite"),
        (b'{"r":1e999,"g":1,"b":1}', "not_finite"),
        (b'{"x":"' + b"y" * 17_000 + b'"}', "too_large"),
    ],
)
def test_bad_payloads_are_refused_with_a_reason(payload: bytes, reason: str):
    with pytest.raises(BadPayload) as refused:
        state(payload)
    assert refused.value.reason == reason
    assert refused.value.device_id == "lamp_1"


@pytest.mark.parametrize("device_id", ["", "bridge", "-x", "a b", "ã", "x" * 65, "$SYS"])
def test_ids_that_could_not_be_a_topic_level_are_refused(device_id: str):
    with pytest.raises(BadPayload, match="bad_id"):
        lamps.read(f"twin/v1/{device_id}/state", b"{}")


def test_availability_and_removal():
    assert read("twin/v1/a/availability", b"online") == Sighting("a", online=True)
    assert read("twin/v1/a/availability", b"offline") == Sighting("a", online=False)
    assert read("twin/v1/a/availability", b"") == Sighting("a")
    assert read("twin/v1/a/state", b"") == Sighting("a", removed=True)


def test_a_command_holds_only_the_fields_it_sets():
    wish = Wish(on=True, bri=0.4, r=1, g=2, b=3, ct=2700, effect="x")
    (outgoing,) = lamps.write("a", Change(frozenset({Cap.ON, Cap.RGB}), wish, trans=0.5))
    assert outgoing.topic == "twin/v1/a/set"
    assert json.loads(outgoing.payload) == {"on": True, "r": 1, "g": 2, "b": 3, "trans": 0.5}
