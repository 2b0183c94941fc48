"""Shelly Gen2: frames as it writes them, without a broker."""

import json
from typing import Any

import pytest

from twin_bridge.client_messages import Wish
from twin_bridge.lamps import shelly
from twin_bridge.lamps.protocol import BadPayload, Change, Reading, Report, Sighting
from twin_bridge.lamps.shelly import ShellyLamps
from twin_bridge.protocol import Cap, Mode

PREFIX = "shellyplusrgbwpm-a8032ab12345"


def call_of(reading: Reading, method: str) -> int:
    for question in reading.ask:
        frame = json.loads(question.payload)
        if frame["method"] == method:
            assert question.topic == f"{PREFIX}/rpc"
            return int(frame["id"])
    raise AssertionError(f"{method} was not asked")


def answer(lamps: ShellyLamps, number: int, src: str = PREFIX, **body: Any) -> Reading:
    ours = lamps.subscriptions[0]
    return lamps.read(ours, json.dumps({"id": number, "src": src, "dst": ours.removesuffix("/rpc"), **body}).encode())


def found(**components: Any) -> ShellyLamps:
    lamps = ShellyLamps("lab")
    greeting = lamps.read(f"{PREFIX}/online", b"true")
    status = {"sys": {"mac": "A8032AB12345"}} | {key.replace("_", ":"): value for key, value in components.items()}
    answer(lamps, call_of(greeting, "Shelly.GetStatus"), result=status)
    answer(lamps, call_of(greeting, "Shelly.GetDeviceInfo"), result={"name": "Corredor", "gen": 2})
    return lamps


def notify(lamps: ShellyLamps, method: str = "NotifyStatus", **params: Any) -> Reading:
    named = {key.replace("_", ":"): value for key, value in params.items()}
    frame = {"src": PREFIX, "dst": f"{PREFIX}/events", "method": method, "params": {"ts": 1.5, **named}}
    return lamps.read(f"{PREFIX}/events/rpc", json.dumps(frame).encode())


def calls(lamps: ShellyLamps, key: str, *fields: Cap, trans: float = 0.0, **wish: Any) -> list[tuple[str, Any]]:
    change = Change(frozenset(fields), Wish(**wish), trans)
    frames = [json.loads(outgoing.payload) for outgoing in lamps.write(f"{PREFIX}-{key}", change)]
    return [(frame["method"], frame["params"]) for frame in frames]


def only(reading: Reading) -> Report:
    (seen,) = reading.sightings
    assert seen.report is not None
    return seen.report


def test_components_that_are_lamps_are_found_by_asking():
    lamps = ShellyLamps("lab")
    greeting = lamps.read(f"{PREFIX}/online", b"true")
    status = {
        "light:0": {"id": 0, "output": True, "brightness": 30},
        "input:0": {"id": 0},
        "switch:1": {"output": False},
    }
    reading = answer(lamps, call_of(greeting, "Shelly.GetStatus"), result=status)
    reports = {seen.device_id: seen.report for seen in reading.sightings if seen.report}
    assert list(reports) == [f"{PREFIX}-light-0", f"{PREFIX}-switch-1"]
    assert (reports[f"{PREFIX}-light-0"].bri, reports[f"{PREFIX}-switch-1"].caps) == (0.3, frozenset({Cap.ON}))
    assert Sighting(f"{PREFIX}-light-0", online=True) in reading.sightings
    named = answer(lamps, call_of(greeting, "Shelly.GetDeviceInfo"), result={"name": "Corredor", "gen": 2})
    assert [seen.report and seen.report.name for seen in named.sightings] == ["Corredor light:0", "Corredor switch:1"]


def test_a_notification_says_only_what_changed():
    lamps = found(rgbw_0={"output": True, "brightness": 50, "rgb": [255, 0, 0], "white": 0})
    dimmed = only(notify(lamps, rgbw_0={"id": 0, "brightness": 80}))
    assert (dimmed.on, dimmed.bri, dimmed.mode, dimmed.r) == (None, 0.8, None, None)
    coloured = only(notify(lamps, rgbw_0={"rgb": [0, 64, 0]}))
    assert (coloured.mode, coloured.r, coloured.g, coloured.b) == (Mode.RGB, 0, 255, 0)
    white = only(notify(lamps, "NotifyFullStatus", rgbw_0={"rgb": [0, 0, 0], "white": 255}))
    assert (white.mode, white.r) == (Mode.WHITE, None)
    assert notify(lamps, "NotifyEvent", rgbw_0={"output": False}).sightings == ()
    assert notify(lamps, rgbw_0={"aenergy": {"total": 4.2}}).sightings == ()


def test_a_whole_status_on_a_topic_of_its_own_is_read_too():
    lamps = found(cct_0={"output": False})
    said = only(lamps.read(f"{PREFIX}/status/cct:0", b'{"id":0,"output":true,"brightness":10,"ct":2700}'))
    assert (said.on, said.bri, said.mode, said.ct) == (True, 0.1, Mode.CT, 2700)


def test_each_command_is_followed_by_the_question_for_the_status():
    lamps = found(light_0={"output": False}, rgbw_0={"output": False}, cct_0={"output": True}, switch_0={})
    question = {"id": 0}
    assert calls(lamps, "light-0", Cap.ON, Cap.BRI, on=True, bri=0.4, trans=0.5) == [
        ("Light.Set", {"id": 0, "on": True, "brightness": 40, "transition_duration": 0.5}),
        ("Light.GetStatus", question),
    ]
    rgb = {"id": 0, "rgb": [255, 128, 0], "white": 0, "on": False}
    assert calls(lamps, "rgbw-0", Cap.RGB, r=128, g=64, b=0)[0] == ("RGBW.Set", rgb), "on has to be said, and stays"
    assert calls(lamps, "cct-0", Cap.CT, ct=4000)[0] == ("CCT.Set", {"id": 0, "ct": 4000, "on": True})
    assert calls(lamps, "switch-0", Cap.ON, on=False, trans=2)[0] == ("Switch.Set", {"id": 0, "on": False})
    assert calls(lamps, "light-0", Cap.BRI, bri=0.0)[0] == ("Light.Set", {"id": 0, "on": False})


def test_an_answer_is_a_report_and_a_refusal_is_told_in_its_words():
    lamps = found(light_0={"output": False, "brightness": 5})
    set_call, status_call = (
        json.loads(each.payload)["id"]
        for each in lamps.write(f"{PREFIX}-light-0", Change(frozenset({Cap.ON}), Wish(on=True)))
    )
    (refused,) = answer(lamps, set_call, error={"code": -103, "message": "Overpower"}).sightings
    assert refused == Sighting(f"{PREFIX}-light-0", refused="Overpower")
    assert only(answer(lamps, status_call, result={"id": 0, "output": True, "brightness": 5})).on is True
    assert answer(lamps, status_call, result={"output": False}) == Reading(), "an answer counts once"


def test_answers_come_to_a_place_that_is_of_this_bridge_and_this_run_alone():
    ours, theirs = ShellyLamps("lab"), ShellyLamps("lab")
    assert ours.subscriptions[0] != theirs.subscriptions[0]
    assert ours.subscriptions[0].startswith("twin/v1/bridge/lab/")
    (question, *_) = ours.read(f"{PREFIX}/online", b"true").ask
    assert f"{json.loads(question.payload)['src']}/rpc" == ours.subscriptions[0]


def test_an_answer_from_another_device_does_not_count_and_the_right_one_still_does():
    lamps = found(light_0={"output": False})
    (question,) = lamps.poll(f"{PREFIX}-light-0")
    number = json.loads(question.payload)["id"]
    with pytest.raises(BadPayload, match="wrong_sender"):
        answer(lamps, number, src="shellyplus1-other", result={"id": 0, "output": True})
    assert only(answer(lamps, number, result={"id": 0, "output": True})).on is True


def test_a_device_that_was_replaced_is_believed_once_it_is_announced():
    lamps = found(light_0={"output": False})
    assert lamps.read(f"{PREFIX}/online", b"true").ask
    (question,) = lamps.poll(f"{PREFIX}-light-0")
    number = json.loads(question.payload)["id"]
    assert only(answer(lamps, number, src="shellyplus1-new", result={"output": True})).on is True


def test_what_only_looks_like_a_shelly_never_takes_the_place_of_a_real_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shelly, "MAX_LAMPS", 2)
    lamps = found(light_0={"output": False})
    for number in range(5):
        lamps.read(f"junk-{number}/online", b"true")
    frame = {"src": "shelly1minig3-1", "method": "NotifyStatus", "params": {"switch:0": {"output": True}}}
    assert lamps.read("garage/events/rpc", json.dumps(frame).encode()).sightings
    assert lamps.poll(f"{PREFIX}-light-0")
    with pytest.raises(BadPayload, match="too_many_devices"):
        lamps.read("shellyplus1-third/online", b"true")


def test_others_are_left_alone():
    lamps = ShellyLamps("lab")
    assert lamps.read("garage/online", b"true").ask == (), "perhaps no Shelly: it is not spoken to"
    assert lamps.read("garage/online", b"yes") == Reading()
    frame = {"src": "other", "method": "NotifyStatus", "params": {"switch:0": {"output": True}}}
    assert lamps.read("garage/events/rpc", json.dumps(frame).encode()) == Reading()
    frame["src"] = "shelly1minig3-1"
    spoken = lamps.read("garage/events/rpc", json.dumps(frame).encode())
    assert next(seen.device_id for seen in spoken.sightings).startswith("garage-switch-0")


def test_a_prefix_of_several_levels_needs_the_lamps_file():
    assert "lab/x/events/rpc" in ShellyLamps("lab", {"lab/x": "Mesa"}).subscriptions


@pytest.mark.parametrize("values", [{"output": 1}, {"brightness": "50"}, {"rgb": [1, 2]}, {"rgb": ["a", 2, 3]}])
def test_bad_values_are_refused_for_that_lamp(values: dict[str, Any]):
    lamps = found(rgb_0={"output": True}, light_0={"output": True})
    reading = notify(lamps, rgb_0=values, light_0={"output": False})
    assert [(error.device_id, error.reason) for error in reading.refusals] == [(f"{PREFIX}-rgb-0", "bad_field")]
    assert [seen.device_id for seen in reading.sightings] == [f"{PREFIX}-light-0"]
