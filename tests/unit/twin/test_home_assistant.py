"""Discovery messages and states as Home Assistant's JSON schema has them, without a broker."""

import json
from typing import Any

import pytest

from twin_bridge.client_messages import Wish
from twin_bridge.lamps.home_assistant import HomeAssistantLights
from twin_bridge.lamps.protocol import BadPayload, Change, Limits, Reading, Report, Sighting
from twin_bridge.protocol import Cap, Mode

PLACE = "homeassistant/light/node/luz/config"
CONFIG = {
    "~": "casa/luz", "schema": "json", "name": "Luz", "uniq_id": "luz_1", "stat_t": "~/state", "cmd_t": "~/set",
    "bri_scl": 100, "sup_clrm": ["rgbw", "color_temp"], "min_mirs": 200, "max_mirs": 400, "brightness": True,
    "effect": True, "fx_list": ["Arco-íris", "None"], "avty_t": "~/avail", "pl_avail": "up", "pl_not_avail": "down",
}  # fmt: skip


def family(**changes: Any) -> HomeAssistantLights:
    lights = HomeAssistantLights(skip_zigbee2mqtt=True, skip_topics=["known/state"])
    announce(lights, **changes)
    return lights


def announce(lights: HomeAssistantLights, **changes: Any) -> Reading:
    config = {key: value for key, value in (CONFIG | changes).items() if value is not ...}
    return lights.read(PLACE, json.dumps(config).encode())


def report(lights: HomeAssistantLights, **state: Any) -> Report:
    (seen,) = lights.read("casa/luz/state", json.dumps(state).encode()).sightings
    assert seen.report is not None
    return seen.report


def sent(lights: HomeAssistantLights, *fields: Cap, **wish: Any) -> dict[str, Any]:
    (outgoing,) = lights.write("luz_1", Change(frozenset(fields), Wish(**wish)))
    assert outgoing.topic == "casa/luz/set"
    return dict(json.loads(outgoing.payload))


def test_a_discovery_message_is_read_with_its_abbreviations_and_base_topic():
    reading = announce(HomeAssistantLights())
    limits = Limits(kelvin=(2500, 5000), effects=("Arco-íris", "None"))
    assert reading.sightings == (Sighting("luz_1", report=Report(name="Luz", caps=frozenset(Cap), limits=limits)),)
    assert reading.subscribe == ("casa/luz/state", "casa/luz/avail")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"state": "ON", "brightness": 40}, {"on": True, "bri": 0.4}),
        ({"color_mode": "rgbw", "color": {"r": 128, "g": 64, "b": 0, "w": 0}}, {"mode": Mode.RGB, "r": 255, "g": 128}),
        ({"color_mode": "rgbw", "color": {"r": 0, "g": 0, "b": 0, "w": 90}}, {"mode": Mode.WHITE, "r": None}),
        ({"color_mode": "color_temp", "color_temp": 250}, {"mode": Mode.CT, "ct": 4000}),
        ({"color_mode": "brightness", "brightness": 250}, {"mode": Mode.BRI, "bri": 1.0}),
        ({"color_mode": "onoff"}, {"mode": Mode.ONOFF}),
        ({"color_mode": "cwww", "color": {"c": 10, "w": 200}}, {"mode": Mode.WHITE}),
        ({"effect": "None"}, {"effect": ""}),
        ({"state": None}, {"on": None, "unknown": True}),
    ],
)
def test_states_become_canonical(state: dict[str, Any], expected: dict[str, Any]):
    said = report(family(), **state)
    assert {name: getattr(said, name) for name in expected} == expected


def test_kelvin_and_other_forms_of_colour_where_the_lamp_says_so():
    lights = family(clr_temp_k=True, sup_clrm=["xy", "color_temp"], min_mirs=..., max_mirs=...)
    assert report(lights, color_mode="color_temp", color_temp=3000).ct == 3000
    assert report(lights, color_mode="xy", color={"x": 0.15, "y": 0.06}).b == 255
    assert sent(lights, Cap.CT, ct=3000) == {"color_temp": 3000}
    assert sent(lights, Cap.RGB, r=0, g=0, b=9) == {"color": {"x": 0.15, "y": 0.06}}
    assert sent(family(sup_clrm=["hs"]), Cap.RGB, r=0, g=0, b=9) == {"color": {"h": 240.0, "s": 100.0}}


def test_commands_switch_white_channels_off_use_its_words_and_repeat_that_it_is_on():
    lights = family()
    assert sent(lights, Cap.RGB, r=9, g=0, b=0) == {"color": {"r": 255, "g": 0, "b": 0, "w": 0}}
    assert sent(lights, Cap.ON, Cap.BRI, on=True, bri=0.5) == {"state": "ON", "brightness": 50}
    assert sent(lights, Cap.EFFECT, effect="") == {"effect": "None"}
    report(lights, state="ON")
    assert sent(lights, Cap.BRI, bri=0.5) == {"state": "ON", "brightness": 50}
    report(lights, state="OFF")
    assert sent(lights, Cap.BRI, bri=0.5) == {"brightness": 50}, "dimming does not switch a lamp on"


@pytest.mark.parametrize(
    ("mode", "said", "expected"),
    [
        ("all", {"a": "up", "b": "up"}, True),
        ("all", {"a": "up", "b": "down"}, False),
        ("all", {"a": "up"}, None),
        ("any", {"a": "down", "b": "up"}, True),
        ("any", {"a": "down", "b": "down"}, False),
        ("any", {"a": "down"}, None),
        ("latest", {"a": "up", "b": "down"}, False),
        ("latest", {"b": "down", "a": "up"}, True),
    ],
)
def test_several_availability_topics(mode: str, said: dict[str, str], expected: bool | None):
    topics = [{"t": name, "pl_avail": "up", "pl_not_avail": "down"} for name in ("a", "b")]
    lights = family(avty_t=..., avty=topics, avty_mode=mode)
    for topic, word in said.items():
        (seen,) = lights.read(topic, word.encode()).sightings
    assert seen.online is expected


@pytest.mark.parametrize(
    "config",
    [
        {"o": {"name": "Zigbee2MQTT"}},
        {"dev": {"ids": ["zigbee2mqtt_0x00158d00018255df"]}},
        {"stat_t": "known/state"},
    ],
)
def test_lamps_that_are_known_otherwise_do_not_appear_twice(config: dict[str, Any]):
    assert announce(HomeAssistantLights(skip_zigbee2mqtt=True, skip_topics=["known/state"]), **config) == Reading()


def test_a_withdrawn_announcement_takes_the_lamp_out():
    lights = family()
    gone = lights.read(PLACE, b"")
    assert gone.sightings == (Sighting("luz_1", removed=True),)
    assert gone.unsubscribe == ("casa/luz/state", "casa/luz/avail")
    assert lights.read(PLACE, b"") == Reading()


def test_an_id_cannot_be_taken_over_by_another_announcement():
    lights = family()
    with pytest.raises(BadPayload, match="id_taken"):
        lights.read("homeassistant/light/evil/config", json.dumps(CONFIG | {"~": "evil"}).encode())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema": ...}, "unknown_schema"),
        ({"schema": "template"}, "unknown_schema"),
        ({"cmd_t": ...}, "bad_discovery"),
        ({"cmd_t": "casa/#"}, "bad_topic"),
        ({"stat_t": "$share/all/casa"}, "bad_topic"),
        ({"bri_scl": 0}, "bad_discovery"),
        ({"avty": "casa"}, "bad_discovery"),
    ],
)
def test_announcements_that_cannot_be_used_are_refused_with_a_reason(changes: dict[str, Any], reason: str):
    with pytest.raises(BadPayload, match=reason):
        announce(HomeAssistantLights(), **changes)


def test_a_lamp_whose_commands_would_look_like_its_answers_is_refused():
    with pytest.raises(BadPayload, match="same_topic"):
        family(cmd_t="~/state")
