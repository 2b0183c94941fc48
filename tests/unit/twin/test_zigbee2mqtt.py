"""Zigbee2MQTT: payloads as it writes them, without a broker."""

import json
from typing import Any

import pytest

from twin_bridge.client_messages import Wish
from twin_bridge.lamps.protocol import Change, Limits, Reading, Report, Sighting
from twin_bridge.lamps.zigbee2mqtt import Zigbee2Mqtt
from twin_bridge.protocol import Cap, Mode

ADDRESS = "0x00158d00018255df"


def feature(name: str, kind: str = "numeric", **more: Any) -> dict[str, Any]:
    return {"name": name, "property": name, "type": kind, "access": 7, **more}


COLOUR = {
    "name": "color_xy", "property": "color", "type": "composite", "access": 7,
    "features": [feature("x"), feature("y")],
}  # fmt: skip
WHITE = feature("color_temp", value_min=153, value_max=500, unit="mired")
HUE = [feature("state", "binary"), feature("brightness", value_min=0, value_max=254), WHITE, COLOUR]


def bulb(name: str = "Sala/Teto", address: str = ADDRESS, *exposes: dict[str, Any], **more: Any) -> dict[str, Any]:
    lights = list(exposes) or [{"type": "light", "features": HUE}]
    return {
        "ieee_address": address, "friendly_name": name, "type": "Router", "supported": True, "disabled": False,
        "definition": {"model": "9290012573A", "vendor": "Philips", "exposes": [*lights, feature("linkquality")]},
    } | more  # fmt: skip


def listed(*devices: Any) -> bytes:
    coordinator = {
        "ieee_address": "0x00124b",
        "type": "Coordinator",
        "friendly_name": "Coordinator",
        "definition": None,
    }
    return json.dumps([coordinator, *devices]).encode()


@pytest.fixture
def lamps() -> Zigbee2Mqtt:
    family = Zigbee2Mqtt()
    family.read("zigbee2mqtt/bridge/devices", listed(bulb()))
    return family


def report(lamps: Zigbee2Mqtt, **state: Any) -> Report:
    (seen,) = lamps.read("zigbee2mqtt/Sala/Teto", json.dumps(state).encode()).sightings
    assert seen.device_id == ADDRESS
    assert seen.report is not None
    return seen.report


def sent(lamps: Zigbee2Mqtt, *fields: Cap, trans: float = 0.0, **wish: Any) -> dict[str, Any]:
    (outgoing,) = lamps.write(ADDRESS, Change(frozenset(fields), Wish(**wish), trans))
    assert outgoing.topic == "zigbee2mqtt/Sala/Teto/set"
    return dict(json.loads(outgoing.payload))


def test_the_list_of_devices_tells_name_capabilities_topics_and_what_to_ask():
    reading = Zigbee2Mqtt().read("zigbee2mqtt/bridge/devices", listed(bulb()))
    caps = frozenset({Cap.ON, Cap.BRI, Cap.RGB, Cap.CT})
    assert reading.sightings == (
        Sighting(ADDRESS, report=Report(name="Sala/Teto", caps=caps, limits=Limits(kelvin=(2000, 6536)))),
    )
    assert reading.subscribe == (
        "zigbee2mqtt/Sala/Teto", "zigbee2mqtt/bridge/state", "zigbee2mqtt/Sala/Teto/availability",
    )  # fmt: skip
    assert [(each.topic, json.loads(each.payload)) for each in reading.ask] == [
        ("zigbee2mqtt/Sala/Teto/get", {"state": "", "brightness": "", "color_temp": "", "color": ""})
    ]


def test_the_colour_mode_decides_and_stale_fields_are_ignored(lamps: Zigbee2Mqtt):
    stale = {"color": {"x": 0.7006, "y": 0.2993, "hue": 0, "saturation": 100}, "color_temp": 370}
    warm = report(lamps, state="ON", brightness=127, color_mode="color_temp", linkquality=120, **stale)
    assert (warm.on, warm.bri, warm.mode, warm.ct, warm.r) == (True, 0.5, Mode.CT, 2703, None)
    red = report(lamps, state="ON", brightness=254, color_mode="xy", **stale)
    assert (red.bri, red.mode, red.ct, (red.r, red.g, red.b)) == (1.0, Mode.RGB, None, (255, 0, 0))
    blue = report(lamps, color_mode="hs", color={"hue": 240, "saturation": 100, "x": 0.7, "y": 0.3})
    assert (blue.r, blue.g, blue.b) == (0, 0, 255)


def test_a_lamp_that_never_reported_says_null(lamps: Zigbee2Mqtt):
    said = report(lamps, state=None, brightness=None, color=None, color_temp=None)
    assert (said.unknown, said.of_state) == (True, False)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"ON", "bad_json"),
        (b"[]", "bad_field"),
        (b'{"state":"MAYBE"}', "bad_field"),
        (b'{"brightness":"50"}', "bad_field"),
        (b'{"brightness":1e999}', "not_finite"),
        (b'{"color":{"x":NaN,"y":0.1}}', "bad_json"),
        (b'{"color":[1,2]}', "bad_field"),
        (b'{"state":"ON","x":"' + b"y" * 17_000 + b'"}', "too_large"),
    ],
)
def test_bad_payloads_are_refused_for_that_lamp(lamps: Zigbee2Mqtt, payload: bytes, reason: str):
    reading = lamps.read("zigbee2mqtt/Sala/Teto", payload)
    assert reading.sightings == ()
    assert [(error.device_id, error.reason) for error in reading.refusals] == [(ADDRESS, reason)]


def test_commands_are_in_its_own_scales(lamps: Zigbee2Mqtt):
    assert sent(lamps, Cap.ON, on=True, trans=0.5) == {"state": "ON", "transition": 0.5}
    assert sent(lamps, Cap.ON, Cap.BRI, on=False, bri=0.5, trans=2) == {"state": "OFF", "transition": 2}
    assert sent(lamps, Cap.BRI, Cap.CT, bri=0.4, ct=2703) == {"brightness": 102, "color_temp": 370}
    assert sent(lamps, Cap.RGB, r=255, g=0, b=0) == {"color": {"x": 0.64, "y": 0.33}}
    assert sent(lamps, Cap.BRI, bri=0.001)["brightness"] == 1, "dim is not off"


def test_no_brightness_at_all_is_off_because_zigbee2mqtt_would_take_it_for_the_dimmest_light(lamps: Zigbee2Mqtt):
    report(lamps, state="ON", brightness=200)
    assert sent(lamps, Cap.BRI, bri=0) == {"state": "OFF"}
    assert sent(lamps, Cap.BRI, Cap.CT, bri=0, ct=2703) == {"state": "OFF", "color_temp": 370}


def test_the_bridge_gates_all_its_lamps_and_asks_them_when_it_is_back(lamps: Zigbee2Mqtt):
    def online(topic: str, payload: bytes) -> tuple[bool | None, int]:
        reading: Reading = lamps.read(topic, payload)
        return reading.sightings[0].online, len(reading.ask)

    assert online("zigbee2mqtt/bridge/state", b'{"state":"online"}') == (None, 0)
    assert online("zigbee2mqtt/Sala/Teto/availability", b"online") == (True, 0)
    assert online("zigbee2mqtt/bridge/state", b"offline") == (False, 0)
    assert online("zigbee2mqtt/Sala/Teto/availability", b'{"state":"online"}') == (False, 0)
    assert online("zigbee2mqtt/bridge/state", b'{"state":"online"}') == (True, 1)


def test_a_renamed_lamp_keeps_its_id_and_a_removed_one_goes(lamps: Zigbee2Mqtt):
    renamed = lamps.read("zigbee2mqtt/bridge/devices", listed(bulb("Sala/Chão")))
    assert [seen.device_id for seen in renamed.sightings] == [ADDRESS]
    assert renamed.unsubscribe == ("zigbee2mqtt/Sala/Teto", "zigbee2mqtt/Sala/Teto/availability")
    gone = lamps.read("zigbee2mqtt/bridge/devices", listed())
    assert gone.sightings == (Sighting(ADDRESS, removed=True),)
    assert "zigbee2mqtt/bridge/state" in gone.unsubscribe


def test_two_lights_of_one_device_are_two_lamps():
    double = [
        {"type": "light", "endpoint": end, "features": [feature("state", "binary", property=f"state_{end}")]}
        for end in ("l1", "l2")
    ]
    family = Zigbee2Mqtt()
    family.read("lab/zigbee/bridge/devices", listed(bulb("par", ADDRESS, *double)))
    reading = family.read("lab/zigbee/par", b'{"state_l1":"ON","state_l2":"OFF"}')
    assert [(seen.device_id, seen.report and seen.report.on) for seen in reading.sightings] == [
        (f"{ADDRESS}_l1", True), (f"{ADDRESS}_l2", False),
    ]  # fmt: skip
    (outgoing,) = family.write(f"{ADDRESS}_l2", Change(frozenset({Cap.ON}), Wish(on=True)))
    assert json.loads(outgoing.payload) == {"state_l2": "ON"}


def test_one_bad_entry_does_not_cost_the_others():
    names = ["bridge/evil", "with/#", "x" * 600, 7]
    devices = [bulb(name, f"0x{number}") for number, name in enumerate(names)]  # type: ignore[arg-type]
    reading = Zigbee2Mqtt().read(
        "zigbee2mqtt/bridge/devices", listed(*devices, bulb(), "nonsense", bulb(disabled=True))
    )
    assert [seen.device_id for seen in reading.sightings] == [ADDRESS]
    assert [error.reason for error in reading.refusals] == ["bad_topic", "bad_topic", "bad_topic", "bad_field"]


def test_bases_of_several_levels_are_listened_to_when_told():
    assert list(Zigbee2Mqtt(["lab/zigbee", "other"]).subscriptions) == [
        "+/bridge/devices", "lab/zigbee/bridge/devices", "+/bridge/groups", "lab/zigbee/bridge/groups",
    ]  # fmt: skip
