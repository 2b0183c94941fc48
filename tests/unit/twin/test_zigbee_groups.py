"""Zigbee2MQTT's groups, plugs and relays, without a broker."""

import json
from typing import Any

import pytest

from tests.unit.twin.test_zigbee2mqtt import ADDRESS, COLOUR, HUE, bulb, feature, listed
from twin_bridge.client_messages import Wish
from twin_bridge.lamps.protocol import Change, Reading, longest
from twin_bridge.lamps.zigbee2mqtt import Zigbee2Mqtt
from twin_bridge.protocol import Cap

BASE = "zigbee2mqtt"
NARROW = feature("color_temp", value_min=250, value_max=454)
DIMMABLE = {"type": "light", "features": [feature("state", "binary"), feature("brightness"), NARROW]}
WHITE_ONE = bulb("Mesa", "0x02", DIMMABLE)


def group(name: str = "Sala", number: int = 1, members: tuple[str, ...] = (ADDRESS, "0x02")) -> dict[str, Any]:
    found = [{"ieee_address": address, "endpoint": 11} for address in members]
    return {"id": number, "friendly_name": name, "scenes": [], "description": None, "members": found}


def grouped(*groups: Any) -> bytes:
    return json.dumps([group("default_bind_group", 901), *groups]).encode()


def ids(reading: Reading) -> list[str]:
    return [f"-{seen.device_id}" if seen.removed else seen.device_id for seen in reading.sightings]


def plug(end: str = "", **state: Any) -> dict[str, Any]:
    at = {"endpoint": end} if end else {}
    place = f"state_{end}" if end else "state"
    return {"type": "switch", **at, "features": [feature("state", "binary", property=place) | state]}


def found(*exposes: dict[str, Any]) -> tuple[Zigbee2Mqtt, list[str]]:
    family = Zigbee2Mqtt()
    return family, ids(family.read(f"{BASE}/bridge/devices", listed(bulb("Tomada", ADDRESS, *exposes))))


@pytest.mark.parametrize("groups_first", [True, False])
def test_a_group_is_a_lamp_that_can_do_what_its_members_can(groups_first: bool):
    family = Zigbee2Mqtt()
    messages = [("devices", listed(bulb(), WHITE_ONE)), ("groups", grouped(group()))]
    for what, payload in reversed(messages) if groups_first else messages:
        reading = family.read(f"{BASE}/bridge/{what}", payload)
    seen = next(each for each in reading.sightings if each.device_id == f"{BASE}-group-1")
    assert seen.report is not None
    assert seen.report.name == "Sala"
    assert set(seen.report.caps or ()) == {Cap.ON, Cap.BRI, Cap.RGB, Cap.CT}
    assert seen.report.limits is not None
    assert seen.report.limits.kelvin == (2203, 4000), "what all of them can"
    assert f"{BASE}/Sala" in reading.subscribe
    assert family.poll(f"{BASE}-group-1") == (), "Zigbee2MQTT answers no question about a group"
    wish = Change(frozenset({Cap.ON, Cap.RGB}), Wish(on=True, r=0, g=0, b=255))
    (outgoing,) = family.write(f"{BASE}-group-1", wish)
    assert (outgoing.topic, json.loads(outgoing.payload)) == (
        f"{BASE}/Sala/set", {"state": "ON", "color": {"x": 0.15, "y": 0.06}},
    )  # fmt: skip


def test_groups_without_lamps_and_that_of_the_remotes_are_none():
    family = Zigbee2Mqtt()
    family.read(f"{BASE}/bridge/devices", listed(bulb(), WHITE_ONE))
    payload = grouped(
        group("vazio", 2, ()), group("sensores", 3, ("0x99",)), group("bridge/x", 4), group("a/#", 5), "?"
    )
    reading = family.read(f"{BASE}/bridge/groups", payload)
    assert ids(reading) == []
    assert [error.reason for error in reading.refusals] == ["bad_topic", "bad_topic"]


def test_a_group_goes_with_its_last_lamp_or_when_it_is_no_longer_listed():
    family = Zigbee2Mqtt()
    family.read(f"{BASE}/bridge/groups", grouped(group(), group("Mesa 2", 2, ("0x02",))))
    family.read(f"{BASE}/bridge/devices", listed(bulb(), WHITE_ONE))
    assert ids(family.read(f"{BASE}/bridge/devices", listed(bulb()))) == [
        "-0x02", ADDRESS, f"-{BASE}-group-2", f"{BASE}-group-1",
    ]  # fmt: skip
    renamed = family.read(f"{BASE}/bridge/groups", grouped(group("Quarto")))
    assert (ids(renamed), renamed.subscribe[:1]) == ([f"{BASE}-group-1"], (f"{BASE}/Quarto",))
    assert ids(family.read(f"{BASE}/bridge/groups", grouped())) == [f"-{BASE}-group-1"]
    assert longest(f"{BASE}/bridge/groups") == longest(f"{BASE}/bridge/devices")


def test_a_plug_is_a_lamp_that_switches_in_its_own_words():
    family, seen = found(plug(value_on="Ligado", value_off="Desligado"))
    assert seen == [ADDRESS]
    (state,) = family.read(f"{BASE}/Tomada", b'{"state":"Ligado","power":7}').sightings
    assert state.report is not None
    assert (state.report.on, state.report.caps) == (True, frozenset({Cap.ON}))
    (outgoing,) = family.write(ADDRESS, Change(frozenset({Cap.ON}), Wish(on=False)))
    assert json.loads(outgoing.payload) == {"state": "Desligado"}
    assert [(each.topic, each.payload) for each in family.poll(ADDRESS)] == [(f"{BASE}/Tomada/get", b'{"state":""}')]


def test_two_relays_are_two_lamps_and_a_light_with_the_same_place_is_shown_once():
    assert found(plug("l1"), plug("l2"))[1] == [f"{ADDRESS}_l1", f"{ADDRESS}_l2"]
    assert found(plug(), {"type": "light", "features": [*HUE, COLOUR]})[1] == [ADDRESS]


def test_the_settings_of_thermostats_and_locks_are_no_lamps():
    assert found(plug(property="child_lock", value_on="LOCK", value_off="UNLOCK"))[1] == []
