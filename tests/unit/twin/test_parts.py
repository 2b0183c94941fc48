"""Small parts: comparing states, tokens, origins, buckets, broker addresses."""

import pytest

from shared.errors import Unavailable
from shared.settings import Settings, TwinSettings
from shared.web.bucket import Bucket
from twin_bridge.client_messages import Wish
from twin_bridge.gate import Gate
from twin_bridge.matching import matches
from twin_bridge.mqtt import MqttLink
from twin_bridge.protocol import Cap, LampState, Mode, Role


@pytest.mark.parametrize(
    ("state", "wish", "fields", "expected"),
    [
        (LampState(bri=0.42), Wish(bri=0.4), [Cap.BRI], True),
        (LampState(bri=0.43), Wish(bri=0.4), [Cap.BRI], False),
        (LampState(on=False, bri=0.43), Wish(bri=0.0), [Cap.BRI], True),
        (LampState(on=True, bri=0.43), Wish(bri=0.0), [Cap.BRI], False),
        (LampState(ct=2840, mode=Mode.CT), Wish(ct=2710), [Cap.CT], True),
        (LampState(ct=2900, mode=Mode.CT), Wish(ct=2710), [Cap.CT], False),
        (LampState(ct=2710, mode=Mode.RGB), Wish(ct=2710), [Cap.CT], False),
        (LampState(r=255, g=6, b=0, mode=Mode.RGB), Wish(r=249, g=0, b=0), [Cap.RGB], True),
        (LampState(r=255, g=128, b=0, mode=Mode.RGB), Wish(r=128, g=64, b=0), [Cap.RGB], True),
        (LampState(r=255, g=20, b=0, mode=Mode.RGB), Wish(r=255, g=0, b=0), [Cap.RGB], False),
        (LampState(on=False, bri=1), Wish(on=False, bri=0.1), [Cap.ON, Cap.BRI], True),
        (LampState(on=True, bri=1), Wish(on=True, bri=0.1), [Cap.ON, Cap.BRI], False),
    ],
)
def test_a_report_matches_within_what_lamps_round(state: LampState, wish: Wish, fields: list[Cap], expected: bool):
    assert matches(state, wish, fields) is expected


def gate(auth: str = "off", **twin: object) -> Gate:
    settings = TwinSettings.model_validate({"mqtt_url": "mqtt://x", **twin})
    return Gate(Settings(_env_file=None, auth=auth, twin=settings))


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "192.168.0.7:8002", True),
        ("http://localhost:8000", "localhost:8002", True),
        ("http://192.168.0.7:8000", "192.168.0.7:8002", True),
        ("http://[::1]:8000", "[::1]:8002", True),
        ("http://127.0.0.1:8000", "localhost:8002", False),
        ("http://rebound.example:8002", "rebound.example:8002", False),
        ("null", "localhost:8002", False),
        ("", "", False),
    ],
)
def test_which_pages_may_connect_while_no_token_protects(origin: str | None, host: str, allowed: bool):
    assert gate().allows_origin(origin, host) is allowed


def test_with_a_token_a_page_of_the_same_name_may_connect():
    assert gate("on", token="s").allows_origin("https://lab.example", "lab.example:8002")


def test_listed_origins_are_exact():
    listed = gate(allowed_origins=["https://lab.example/"])
    assert listed.allows_origin("https://lab.example", "x")
    assert not listed.allows_origin("https://lab.example.evil", "x")
    assert not listed.allows_origin("http://lab.example", "x")


def test_authentication_without_a_token_cannot_start():
    with pytest.raises(Unavailable, match="TWIN__TOKEN"):
        gate("on")


def test_tokens_of_any_text_are_compared():
    asking = gate("on", token="sésamo")
    assert asking.role("sésamo") is Role.OPERATOR
    assert asking.role("sesamo") is None
    assert asking.role("") is None


def test_a_bucket_gives_its_burst_and_refills():
    now = [0.0]
    bucket = Bucket(2, 3, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]


@pytest.mark.parametrize("url", ["", "http://x", "mqtt://", "mqtt://x:port", "mqtt://x?version=4", "mqtt://[x"])
def test_a_wrong_broker_address_is_told_by_its_setting(url: str):
    with pytest.raises(Unavailable, match="TWIN__MQTT_URL"):
        MqttLink(url, "name", ())
