"""Home Assistant's `basic` schema: a topic for each field with a bare value, without a broker."""

import json
from typing import Any

import pytest

from twin_bridge.client_messages import Wish
from twin_bridge.lamps.home_assistant import HomeAssistantLights
from twin_bridge.lamps.protocol import BadPayload, Change, Reading, Report
from twin_bridge.protocol import Cap, Mode

CONFIG = {
    "name": "Fita", "uniq_id": "fita", "~": "casa/fita", "stat_t": "~/on", "cmd_t": "~/on/set",
    "pl_on": "ligada", "pl_off": "desligada", "bri_stat_t": "~/bri", "bri_cmd_t": "~/bri/set", "bri_scl": 100,
    "rgb_stat_t": "~/rgb", "rgb_cmd_t": "~/rgb/set", "clr_temp_stat_t": "~/ct", "clr_temp_cmd_t": "~/ct/set",
    "min_mirs": 200, "max_mirs": 400, "avty_t": "~/vivo", "avty_tpl": "{{ value_json.state }}",
}  # fmt: skip


def announce(lights: HomeAssistantLights, **changes: Any) -> Reading:
    config = {key: value for key, value in (CONFIG | changes).items() if value is not ...}
    return lights.read("homeassistant/light/fita/config", json.dumps(config).encode())


@pytest.fixture
def lights() -> HomeAssistantLights:
    found = HomeAssistantLights()
    announce(found)
    return found


def report(lights: HomeAssistantLights, place: str, word: bytes) -> Report:
    (seen,) = lights.read(f"casa/fita/{place}", word).sightings
    assert seen.report is not None
    return seen.report


def sent(lights: HomeAssistantLights, *fields: Cap, **wish: Any) -> list[tuple[str, bytes]]:
    outgoing = lights.write("fita", Change(frozenset(fields), Wish(**wish)))
    return [(each.topic.removeprefix("casa/fita/"), each.payload) for each in outgoing]


def test_each_field_is_read_from_its_topic(lights: HomeAssistantLights):
    assert report(lights, "on", b"ligada").on is True
    assert report(lights, "on", b"desligada").on is False
    assert report(lights, "bri", b"40").bri == 0.4
    said = report(lights, "rgb", b"128,64,0")
    assert (said.mode, said.r, said.g, said.b) == (Mode.RGB, 255, 128, 0)
    said = report(lights, "ct", b"250")
    assert (said.mode, said.ct) == (Mode.CT, 4000)
    assert lights.read("casa/fita/vivo", b"offline").sightings[0].online is False


def test_a_command_is_as_many_messages_with_the_power_last_or_first(lights: HomeAssistantLights):
    wish = {"on": True, "bri": 0.5, "r": 255, "g": 0, "b": 9}
    messages = [("bri/set", b"50"), ("rgb/set", b"255,0,9"), ("on/set", b"ligada")]
    assert sent(lights, Cap.ON, Cap.BRI, Cap.RGB, **wish) == messages
    assert sent(lights, Cap.ON, on=False) == [("on/set", b"desligada")]
    assert sent(lights, Cap.CT, ct=4000) == [("ct/set", b"250")]
    announce(lights, on_cmd_type="first")
    assert sent(lights, Cap.ON, Cap.BRI, on=True, bri=0.5) == [("on/set", b"ligada"), ("bri/set", b"50")]


def test_what_it_does_not_tell_is_not_offered():
    (seen,) = announce(HomeAssistantLights(), bri_stat_t=..., rgb_cmd_t=...).sightings
    assert seen.report is not None
    assert seen.report.caps == frozenset({Cap.ON, Cap.CT})


@pytest.mark.parametrize(
    ("place", "word"), [("on", b"on"), ("bri", b"much"), ("bri", b'"4"'), ("rgb", b"1,2"), ("ct", b"[1]")]
)
def test_what_is_no_value_is_refused(lights: HomeAssistantLights, place: str, word: bytes):
    reading = lights.read(f"casa/fita/{place}", word)
    assert (reading.sightings, len(reading.refusals)) == ((), 1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stat_t": ...}, "unknown_schema"),
        ({"state_value_template": "{{ value_json.state }}"}, "unknown_template"),
        ({"bri_val_tpl": "{{ value_json.bri }}"}, "unknown_template"),
        ({"on_cmd_type": "brightness"}, "bad_discovery"),
        ({"rgb_cmd_t": "~/bri"}, "same_topic"),
        ({"bri_stat_t": "~/on"}, "same_topic"),
        ({"bri_cmd_t": "~/#"}, "bad_topic"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_a_reason(changes: dict[str, Any], reason: str):
    with pytest.raises(BadPayload, match=reason):
        announce(HomeAssistantLights(), **changes)
