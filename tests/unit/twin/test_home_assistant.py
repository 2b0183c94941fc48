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
        ({"color_mode": "cwww", "color": {"c": 0, "w": 0}}, {"mode": Mode.WHITE, "ct": None}),
        ({"effect": "None"}, {"effect": ""}),
        ({"state": None}, {"on": None, "unknown": True}),
    ],
)
def test_states_become_canonical(state: dict[str, Any], expected: dict[str, Any]):
    said = report(family(), **state)
    assert {name: getattr(said, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("channels", "ct"),
    [
        ({"c": 255, "w": 0}, 6536),
        ({"c": 255, "w": 255}, 3802),
        ({"c": 199, "w": 255}, 3333),
        ({"c": 0, "w": 255}, 2681),
    ],
)
def test_two_white_channels_are_the_white_temperature_that_esphome_mixed_them_for(channels: dict[str, int], ct: int):
    """`c` and `w` are what ESPHome makes of 153, 263, 300 and 373 mired with its usual gamma."""
    lights = family(sup_clrm=["color_temp"], min_mirs=153, max_mirs=373)
    said = report(lights, color_mode="cwww", state="ON", brightness=100, color=channels)
    assert said.mode is Mode.CT
    assert said.ct == pytest.approx(ct, rel=0.005)
    assert Cap.CT in (said.caps or ())


def test_two_white_channels_without_their_limits_offer_no_white_temperature():
    lights = family(sup_clrm=["color_temp", "rgb"], min_mirs=..., max_mirs=...)
    said = report(lights, color_mode="cwww", color={"c": 10, "w": 200})
    assert (said.mode, said.ct, Cap.CT in (said.caps or ())) == (Mode.WHITE, None, False)
    later = report(lights, color_mode="rgb", color={"r": 255, "g": 0, "b": 0})
    assert Cap.CT not in (later.caps or ())


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
    ("changes", "caps"),
    [
        ({"avty_t": ..., "avty": {"topic": "casa/luz/avail"}}, set(Cap)),
        ({"sup_clrm": "rgb"}, set(Cap) - {Cap.CT}),
        ({"effect_list": None, "fx_list": ...}, set(Cap) - {Cap.EFFECT}),
        ({"sup_clrm": ..., "rgb": True, "color_temp": True}, set(Cap)),
        ({"sup_clrm": ..., "hs": True}, set(Cap) - {Cap.CT}),
        ({"sup_clrm": ...}, set(Cap) - {Cap.CT, Cap.RGB}),
    ],
)
def test_what_home_assistant_takes_in_other_words_is_taken_too(changes: dict[str, Any], caps: set[Cap]):
    lights = HomeAssistantLights()
    (seen,) = announce(lights, **changes).sightings
    assert seen.report is not None
    assert set(seen.report.caps or ()) == caps


def test_a_light_with_the_old_flags_is_told_a_colour_as_it_understands_it():
    assert sent(family(sup_clrm=..., xy=True), Cap.RGB, r=0, g=0, b=9) == {"color": {"x": 0.15, "y": 0.06}}


@pytest.mark.parametrize(
    ("said", "expected"), [({"online": True}, True), ({"online": False}, False), ({"online": "False"}, False)]
)
@pytest.mark.parametrize("template", ["{{ value_json.online }}", "{{value_json['online']}}"])
def test_an_availability_is_taken_from_the_field_that_its_template_names(
    template: str, said: dict[str, Any], expected: bool
):
    words = {"pl_avail": "True", "pl_not_avail": "False"}
    for lights in (
        family(avty_t=..., avty=[{"t": "casa/luz/avail", "val_tpl": template, **words}]),
        family(avty_tpl=template, **words),
    ):
        (seen,) = lights.read("casa/luz/avail", json.dumps(said).encode()).sightings
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


def test_identical_esphome_nodes_are_two_lamps_whoever_comes_first():
    """ESPHome's usual `unique_id` is made of the name of the light alone; only `device` tells the nodes apart."""
    node = {"schema": "json", "uniq_id": "ESPlightluz", "sup_clrm": ["rgb"]}
    configs = [
        (f"homeassistant/light/no-{n}/luz/config", node | {"stat_t": f"no-{n}/s", "cmd_t": f"no-{n}/c", "dev": device})
        for n, device in enumerate([{"ids": "c4dd57000001"}, {"ids": "c4dd57000002"}, {}], start=1)
    ]
    for order in (configs, configs[::-1]):
        lights = HomeAssistantLights()
        found = [lights.read(place, json.dumps(config).encode()).sightings[0].device_id for place, config in order]
        assert sorted(found)[:2] == ["ESPlightluz-c4dd57000001", "ESPlightluz-c4dd57000002"]
        assert sorted(found)[2].startswith("ESPlightluz-no-3-luz-")


@pytest.mark.parametrize(
    "config",
    [
        {"dev": {"sw": "esphome v2025.2.0"}},
        {"dev": {"sw_version": "1.0 (ESPHome 2026.1.0)", "ids": "c4dd57000001"}},
        {"uniq_id": "ESPlightluz", "dev": {"ids": "c4dd57000001"}},
        {"uniq_id": "c4dd57000001-light-0a1b2c3d"},
    ],
)
def test_esphome_gets_whole_seconds_because_it_passes_over_others(config: dict[str, Any]):
    lights = HomeAssistantLights()
    (seen,) = announce(lights, **config).sightings
    (outgoing,) = lights.write(seen.device_id, Change(frozenset({Cap.ON}), Wish(on=True), trans=1.6))
    assert json.loads(outgoing.payload)["transition"] == 2
    (outgoing,) = family().write("luz_1", Change(frozenset({Cap.ON}), Wish(on=True), trans=1.6))
    assert json.loads(outgoing.payload)["transition"] == 1.6, "others get what was asked for"


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
