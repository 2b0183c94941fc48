"""Tasmota: payloads as it writes them, without a broker."""

import json
from typing import Any

import pytest

from twin_bridge.client_messages import Wish
from twin_bridge.lamps.protocol import BadPayload, Change, Report, Sighting
from twin_bridge.lamps.tasmota import TasmotaLamps
from twin_bridge.lamps.tasmota_device import TasmotaDevice, TasmotaLamp
from twin_bridge.protocol import Cap, Mode

PLACE = "tasmota/discovery/DC4F2200A1B2/config"
DISCOVERY: dict[str, Any] = {
    "ip": "192.0.2.7", "dn": "Bancada", "fn": ["Bancada", None], "hn": "bancada-4242", "mac": "DC4F2200A1B2",
    "ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "t": "bancada",
    "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [2, 0, 0], "so": {"82": 0}, "lt_st": 5, "ver": 1,
}  # fmt: skip


def family(**changes: Any) -> TasmotaLamps:
    lamps = TasmotaLamps()
    lamps.read(PLACE, json.dumps(DISCOVERY | changes).encode())
    return lamps


def report(lamps: TasmotaLamps, topic: str, payload: Any) -> Report:
    data = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
    (seen,) = lamps.read(topic, data).sightings
    assert seen.report is not None
    return seen.report


def sent(lamps: TasmotaLamps, *fields: Cap, trans: float = 0.0, **wish: Any) -> list[tuple[str, str]]:
    outgoing = lamps.write("bancada", Change(frozenset(fields), Wish(**wish), trans))
    return [(each.topic, each.payload.decode()) for each in outgoing]


@pytest.mark.parametrize(
    ("kind", "caps"), [(0, "on"), (1, "on bri"), (2, "on bri ct"), (3, "on bri rgb"), (5, "on bri rgb ct")]
)
def test_the_kind_of_light_tells_what_it_can_do(kind: int, caps: str):
    reading = TasmotaLamps().read(PLACE, json.dumps(DISCOVERY | {"lt_st": kind}).encode())
    (seen,) = reading.sightings
    assert seen.report is not None
    assert (seen.device_id, seen.report.name) == ("bancada", "Bancada")
    assert seen.report.caps == frozenset({Cap(word) for word in caps.split()})
    assert {"tele/bancada/LWT", "tele/bancada/STATE", "stat/bancada/RESULT"} <= set(reading.subscribe)
    assert [(each.topic, each.payload) for each in reading.ask] == [("cmnd/bancada/STATE", b"")]


def test_the_channels_that_shine_decide_between_colour_and_white():
    both = {"POWER": "ON", "Dimmer": 40, "CT": 370, "White": 0, "HSBColor": "240,100,40", "Color": "0000660000"}
    blue = report(family(), "tele/bancada/STATE", both)
    assert (blue.on, blue.bri, blue.mode, blue.ct) == (True, 0.4, Mode.RGB, None)
    assert (blue.r, blue.g, blue.b) == (0, 0, 255)
    warm = report(family(), "stat/bancada/RESULT", both | {"White": 40, "HSBColor": "240,100,0", "Color": "0000006600"})
    assert (warm.mode, warm.ct, warm.b) == (Mode.CT, 2703, None)


def test_a_lamp_that_is_dimmed_to_nothing_stays_in_the_mode_it_was_in():
    dark = {"POWER": "OFF", "Dimmer": 0, "CT": 300, "White": 0, "HSBColor": "30,100,0", "Color": "0000000000"}
    said = report(family(), "stat/bancada/RESULT", dark)
    assert (said.on, said.bri, said.mode, said.r, said.ct) == (False, 0.0, None, None, None)


@pytest.mark.parametrize("colour", ["7F3F00", "127,63,0", "7F3F000000"])
def test_colours_without_a_hue_are_read_from_the_channels(colour: str):
    said = report(family(), "stat/bancada/RESULT", {"Color": colour})
    assert (said.r, said.g, said.b) == (255, 126, 0)


def test_a_partial_answer_says_only_what_it_says():
    assert report(family(), "stat/bancada/RESULT", {"Dimmer": 7}).on is None
    assert report(family(), "stat/bancada/POWER", "OFF").on is False
    assert report(family(), "stat/bancada/STATUS11", {"StatusSTS": {"POWER": "ON"}}).on is True


def test_what_is_no_state_is_passed_over():
    for payload in (b"Unknown", b'{"Command":"Unknown"}', b'{"Speed2":4}', b"{}", b""):
        assert family().read("stat/bancada/RESULT", payload).sightings == ()


def test_commands_with_power_last_and_one_fade():
    lamps = family()
    cmnd = "cmnd/bancada/"
    assert sent(lamps, Cap.ON, Cap.BRI, on=True, bri=0.4, trans=2) == [
        (f"{cmnd}Speed2", "4"), (f"{cmnd}Dimmer", "40"), (f"{cmnd}POWER", "ON"),
    ]  # fmt: skip
    assert sent(lamps, Cap.ON, Cap.RGB, on=False, r=1) == [(f"{cmnd}POWER", "OFF")]
    assert sent(lamps, Cap.RGB, r=128, g=64, b=0) == [(f"{cmnd}Color2", "255,128,0")]
    assert sent(lamps, Cap.RGB, Cap.BRI, bri=0.5, r=0, g=255, b=0) == [(f"{cmnd}HSBColor", "120,100,50")]
    assert sent(lamps, Cap.CT, ct=2703) == [(f"{cmnd}CT", "370")]


def test_channels_that_are_dimmed_apart_are_a_lamp_each():
    """With SetOption68 a light of three channels says `Channel<n>`, counted as the relays are."""
    lamps = family(rl=[1, 2, 2, 0], lt_st=2, so={"68": 1}, fn=["Tomada", "Esquerda", "Direita", None])
    said = {"POWER1": "ON", "POWER2": "ON", "Channel2": 40, "POWER3": "OFF", "Channel3": 7, "Dimmer": 99}
    seen = lamps.read("tele/bancada/STATE", json.dumps(said).encode()).sightings
    found = [
        (each.device_id, each.report.on, each.report.bri, set(each.report.caps or ())) for each in seen if each.report
    ]
    assert found == [
        ("bancada-1", True, None, {Cap.ON}),
        ("bancada-2", True, 0.4, {Cap.ON, Cap.BRI}),
        ("bancada-3", False, 0.07, {Cap.ON, Cap.BRI}),
    ]
    wish = Change(frozenset({Cap.ON, Cap.BRI}), Wish(on=True, bri=0.25))
    assert [(each.topic, each.payload) for each in lamps.write("bancada-3", wish)] == [
        ("cmnd/bancada/Channel3", b"25"), ("cmnd/bancada/POWER3", b"ON"),
    ]  # fmt: skip


def test_two_relays_are_two_lamps_with_names_and_a_shutter_is_none():
    lamps = family(rl=[1, 1, 3, 3], lt_st=0, fn=["Teto", None, None, None])
    reading = lamps.read("tele/bancada/STATE", b'{"POWER1":"ON","POWER2":"OFF","POWER3":"ON"}')
    assert [(seen.device_id, seen.report and (seen.report.on, seen.report.name)) for seen in reading.sightings] == [
        ("bancada-1", (True, "Teto")), ("bancada-2", (False, "Bancada")),
    ]  # fmt: skip
    (outgoing,) = lamps.write("bancada-2", Change(frozenset({Cap.ON}), Wish(on=True)))
    assert (outgoing.topic, outgoing.payload) == ("cmnd/bancada/POWER2", b"ON")


def test_its_own_topics_and_words():
    lamps = family(ft="lab/%topic%/%prefix%", tp=["c", "s", "t"], state=["DESLIGADO", "LIGADO", "x", "y"])
    assert report(lamps, "lab/bancada/s/RESULT", {"POWER": "LIGADO"}).on is True
    assert lamps.poll("bancada")[0].topic == "lab/bancada/c/STATE"
    with pytest.raises(BadPayload, match="bad_field"):
        lamps.read("lab/bancada/s/RESULT", b'{"POWER":"ON"}')


def test_a_last_will_vouches_and_a_return_is_asked_about():
    lamps = family()
    assert lamps.read("tele/bancada/LWT", b"Offline").sightings == (Sighting("bancada", online=False),)
    back = lamps.read("tele/bancada/LWT", b"Online")
    assert (back.sightings, len(back.ask)) == ((Sighting("bancada", online=True),), 1)


def test_without_discovery_a_device_is_a_lamp_once_it_speaks_like_one():
    lamps = TasmotaLamps()
    assert "tele/x/STATE" in lamps.read("tele/x/LWT", b"Online").subscribe
    assert lamps.read("tele/x/STATE", b'{"POWER":"ON"}').sightings == (), "a relay may be a kettle"
    seen = lamps.read("tele/x/STATE", b'{"POWER":"ON","Dimmer":10}').sightings
    assert [each.device_id for each in seen] == ["x"] * 3
    assert lamps.read("tele/y/LWT", b"hello").subscribe == ()


def test_the_lamps_file_wins_over_discovery():
    device = TasmotaDevice("bancada", (TasmotaLamp("minha", "Minha"),))
    lamps = TasmotaLamps([device])
    assert [seen.device_id for seen in lamps.start().sightings] == ["minha"]
    assert lamps.read(PLACE, json.dumps(DISCOVERY).encode()).sightings == ()
    assert [seen.device_id for seen in lamps.read("stat/bancada/POWER", b"ON").sightings] == ["minha"]


def test_a_moved_and_a_withdrawn_device_let_go_of_their_topics():
    lamps = family()
    moved = lamps.read(PLACE, json.dumps(DISCOVERY | {"t": "mesa"}).encode())
    assert [(seen.device_id, seen.removed) for seen in moved.sightings] == [("bancada", True), ("mesa", False)]
    assert "tele/bancada/STATE" in moved.unsubscribe
    gone = lamps.read(PLACE, b"")
    assert gone.sightings == (Sighting("mesa", removed=True),)


@pytest.mark.parametrize(
    "changes",
    [
        {"t": "#"},
        {"t": ""},
        {"tp": ["cmnd"]},
        {"state": [1, 2]},
        {"rl": "2"},
        {"t": "x" * 600},
        {"tp": ["c", "s#", "t"]},
    ],
)
def test_a_discovery_that_cannot_be_used_adds_nothing(changes: dict[str, Any]):
    lamps = TasmotaLamps()
    with pytest.raises(BadPayload, match=r"bad_(topic|discovery|field)"):
        lamps.read(PLACE, json.dumps(DISCOVERY | changes).encode())
    assert lamps._devices == {}
