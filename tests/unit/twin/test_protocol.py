"""The wire shapes: frames made by hand, and what clients may write (test_json_utility.py: what Unity can read)."""

import json

import pytest

from twin_bridge.client_messages import Cmd, Refused, read
from twin_bridge.frames import snapshot_frame, state_frame
from twin_bridge.lamps.protocol import Report, Sighting
from twin_bridge.protocol import Cap, ErrorCode, Snapshot, State
from twin_bridge.state import DeviceTable


def test_frames_put_together_by_hand_are_the_models():
    table = DeviceTable()
    for device_id in ("lamp_1", "lamp_2"):
        seen = Sighting(device_id, report=Report(on=True, bri=0.5, name='Mesa "à esquerda"'))
        table.take(seen, "native", retained=False, now=0, epoch_ms=1763712000100)
    delta = table.since("", 0)
    snapshot = Snapshot.model_validate_json(snapshot_frame(table, delta, 1, 1).text)
    assert snapshot == Snapshot(
        epoch=table.epoch, seq=2, part=1, parts=1, full=True, devices=table.devices(), removed=[]
    )
    state = State.model_validate_json(state_frame(table, 2, 3, ["lamp_1", "lamp_2"]).text)
    assert state == State(seq=2, skipped=3, devices=table.devices())
    for frame, model in ((snapshot_frame(table, delta, 1, 1), snapshot), (state_frame(table, 2, 3, ["lamp_1"]), state)):
        assert json.loads(frame.text).keys() == model.model_dump().keys()


def test_what_unity_writes_is_read_with_every_field_and_unknown_ones():
    text = """{"t":"cmd","v":1,"cid":"c-17","id":"lamp_001","set":["on","bri"],"state":{"on":true,
        "bri":0.4000000059604645,"r":0,"g":0,"b":0,"ct":0,"effect":"","mode":"rgb"},"trans":0.5,"ttl":3000,"new":1}"""
    message = read(text)
    assert isinstance(message, Cmd)
    assert message.mask == [Cap.ON, Cap.BRI]
    assert message.state.bri == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("text", "code", "fatal"),
    [
        ("{", ErrorCode.BAD_MESSAGE, True),
        ("[1]", ErrorCode.BAD_MESSAGE, True),
        ("[" * 9000, ErrorCode.BAD_MESSAGE, True),
        ('{"t":"ping","v":2}', ErrorCode.BAD_MESSAGE, True),
        ('{"v":1}', ErrorCode.UNKNOWN_TYPE, False),
        ('{"t":"dance","v":1,"cid":"c-1"}', ErrorCode.UNKNOWN_TYPE, False),
        ('{"t":"cmd","v":1,"cid":"c-1","id":"a","set":["on"],"state":{"bri":NaN}}', ErrorCode.BAD_FIELD, False),
        ('{"t":"cmd","v":1,"cid":"","id":"a","set":["on"],"state":{}}', ErrorCode.BAD_FIELD, False),
        ('{"t":"cmd","v":1,"cid":"c-1","id":"a","set":["colour"],"state":{}}', ErrorCode.BAD_FIELD, False),
    ],
)
def test_what_is_wrong_is_refused_with_a_code(text: str, code: ErrorCode, fatal: bool):
    with pytest.raises(Refused) as refused:
        read(text)
    assert (refused.value.code, refused.value.fatal) == (code, fatal)
    assert refused.value.detail


def test_a_refusal_names_the_field_and_the_cid():
    with pytest.raises(Refused) as refused:
        read('{"t":"cmd","v":1,"cid":"c-9","id":"a","set":["on"],"state":{},"trans":-1}')
    assert refused.value.cid == "c-9"
    assert refused.value.detail.startswith("trans: ")
