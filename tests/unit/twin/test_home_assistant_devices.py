"""Discovery messages of whole devices and under other prefixes, as Home Assistant documents them, without a broker."""

import json
from typing import Any

import pytest

from shared.settings import TwinSettings
from twin_bridge.client_messages import Wish
from twin_bridge.lamps.bootstrap import build_families
from twin_bridge.lamps.home_assistant import HomeAssistantLights
from twin_bridge.lamps.protocol import BadPayload, Change, Reading, longest
from twin_bridge.protocol import Cap

PLACE = "homeassistant/device/0AFFD2/config"
TEMPERATURE = {"p": "sensor", "device_class": "temperature", "unique_id": "temp01ae_t"}
LEFT = {"p": "light", "schema": "json", "name": "Esquerda", "unique_id": "esq", "bri_scl": 100, "brightness": True}
RIGHT = {"platform": "light", "schema": "json", "uniq_id": "dir", "stat_t": "~/dir", "cmd_t": "~/dir/set", "~": "b"}
DEVICE = {
    "dev": {"ids": "ea334450945afc", "name": "Cozinha", "sw": "1.0"}, "o": {"name": "bla2mqtt"}, "~": "casa",
    "stat_t": "~/estado", "cmd_t": "~/ordem", "avty": {"t": "~/vivo"},
    "cmps": {"temp": TEMPERATURE, "esq": LEFT, "dir": RIGHT},
}  # fmt: skip


def tell(lights: HomeAssistantLights, cmps: dict[str, Any], place: str = PLACE, **changes: Any) -> Reading:
    return lights.read(place, json.dumps(DEVICE | {"cmps": cmps} | changes).encode())


def ids(reading: Reading) -> list[str]:
    return [f"-{seen.device_id}" if seen.removed else seen.device_id for seen in reading.sightings]


def test_the_lights_of_a_device_share_what_stands_at_its_root_unless_they_say_otherwise():
    lights = HomeAssistantLights()
    reading = tell(lights, DEVICE["cmps"])  # type: ignore[arg-type]
    assert ids(reading) == ["esq", "dir"]
    assert reading.subscribe == ("casa/estado", "casa/vivo", "b/dir", "b/vivo")
    assert [seen.report.name for seen in reading.sightings if seen.report] == ["Esquerda", "Cozinha"]
    (outgoing,) = lights.write("esq", Change(frozenset({Cap.BRI}), Wish(bri=0.5)))
    assert (outgoing.topic, json.loads(outgoing.payload)) == ("casa/ordem", {"brightness": 50})
    assert lights.write("dir", Change(frozenset({Cap.ON}), Wish(on=True)))[0].topic == "b/dir/set"
    (seen,) = lights.read("casa/vivo", b"offline").sightings
    assert (seen.device_id, seen.online) == ("esq", False)


@pytest.mark.parametrize("components", [{"esq": LEFT}, {"esq": LEFT, "dir": {"p": "light"}}])
def test_a_light_that_is_withdrawn_or_no_longer_listed_goes(components: dict[str, Any]):
    lights = HomeAssistantLights()
    tell(lights, {"esq": LEFT, "dir": RIGHT})
    assert ids(tell(lights, components)) == ["-dir", "esq"]
    assert ids(lights.read(PLACE, b"")) == ["-esq"]
    assert lights.read(PLACE, b"") == Reading()


def test_a_light_that_cannot_be_used_does_not_cost_the_others_and_keeps_what_was_good():
    lights = HomeAssistantLights()
    tell(lights, {"esq": LEFT, "dir": RIGHT})
    reading = tell(lights, {"esq": LEFT, "dir": RIGHT | {"schema": "template"}})
    assert ids(reading) == ["esq"]
    assert [error.reason for error in reading.refusals] == ["unknown_schema"]
    assert ids(lights.read(PLACE, b"")) == ["-dir", "-esq"]


def test_a_light_moves_from_a_message_of_its_own_to_that_of_its_device():
    lights = HomeAssistantLights()
    alone = "homeassistant/light/0AFFD2/esq/config"
    lights.read(alone, json.dumps(LEFT | {"stat_t": "a", "cmd_t": "b"}).encode())
    assert ids(lights.read(alone, b'{"migrate_discovery": true}')) == ["-esq"]
    assert ids(tell(lights, {"esq": LEFT})) == ["esq"]
    assert lights.read(alone, b"") == Reading()


@pytest.mark.parametrize("payload", [b"[]", b"{}", b'{"cmps": []}', b"{"])
def test_a_device_without_components_is_refused(payload: bytes):
    with pytest.raises(BadPayload):
        HomeAssistantLights().read(PLACE, payload)


def test_what_zigbee2mqtt_announces_so_does_not_appear_twice():
    lights = HomeAssistantLights(skip_zigbee2mqtt=True)
    assert ids(tell(lights, {"esq": LEFT}, o={"name": "Zigbee2MQTT"})) == []


def test_another_prefix_of_several_levels_is_listened_to_when_told():
    families = build_families(TwinSettings(families=["ha"], ha_prefix="lab/ha"))
    assert families.subscriptions == [
        "lab/ha/light/+/config", "lab/ha/light/+/+/config", "lab/ha/device/+/config", "lab/ha/device/+/+/config",
    ]  # fmt: skip
    payload = json.dumps(DEVICE).encode()
    ((_, reading),) = families.read("lab/ha/device/no/0AFFD2/config", payload)
    assert ids(reading) == ["esq", "dir"]
    assert families.read(PLACE, payload) == []


def test_a_device_may_say_more_than_a_lamp():
    assert longest(PLACE) > 200_000 > longest("homeassistant/light/a/config")
    assert (
        len(tell(HomeAssistantLights(), {f"l{n}": LEFT | {"unique_id": f"l{n}"} for n in range(300)}).sightings) == 300
    )
