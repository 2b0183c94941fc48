"""Ten thousand payloads of real shape with something wrong in each: no fault of ours, no state out of range."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.settings import TwinSettings
from twin_bridge.client_messages import Wish
from twin_bridge.lamps.bootstrap import build_families
from twin_bridge.lamps.families import Families
from twin_bridge.lamps.protocol import Change
from twin_bridge.protocol import Cap, Device
from twin_bridge.state import DeviceTable
from xgtwin.simulated import esphome, home_assistant, native, plain, shelly, tasmota, z2m

COUNT = 10_000
ODD: list[Any] = [
    None, True, -1, 0, 1e308, 10**400, 1.5, "", "ON", "x" * 70, "\0", "+", "#", "a/b", "\u00e9", "NaN", [], {}, [1],
    [[[]]], {"state": "online"}, ["x"] * 50,
]  # fmt: skip
RAW = [b"", b"null", b"[]", b"{}", b"\xff\xff", b"[" * 500, b'{"id":1e400}', b"1" * 400, b'{"brightness":NaN}']

Messages = list[tuple[str, bytes]]


class Recorder:
    """Takes the place of a simulated lamp's connection."""

    said: Messages = []  # noqa: RUF012 - one record for all

    def __init__(self, _url: str, _name: str, _will: object = None) -> None:
        self.hearers: dict[str, Callable[[str, bytes], None]] = {}
        self.greeting: Callable[[], None] = lambda: None

    def greet(self, action: Callable[[], None]) -> None:
        self.greeting = action

    def hear(self, topic: str, action: Callable[[str, bytes], None]) -> None:
        self.hearers[topic] = action

    def say(self, topic: str, payload: Any, *, retain: bool = False) -> None:
        data = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        self.said.append((topic, data.encode() if isinstance(data, str) else data))

    def later(self, _seconds: float, action: Callable[[], None]) -> None:
        action()


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> Messages:
    """What a lamp of each make says from its start."""
    monkeypatch.setattr(Recorder, "said", [])
    for module in (esphome, home_assistant, native, plain, shelly, tasmota, z2m):
        monkeypatch.setattr(module, "Wire", Recorder)
    lamps: list[Any] = [
        esphome.EsphomeNode("", 1), home_assistant.HomeAssistantLight("", 1), native.NativeLamp("", "desk"),
        plain.PlainLamp("", 1), tasmota.TasmotaBulb("", 1), z2m.Zigbee2MqttNetwork("", 3),
        *(shelly.ShellyDevice("", number) for number in (1, 2, 3, 4)),
    ]  # fmt: skip
    for lamp in lamps:
        lamp.wire.greeting()
    for lamp in lamps[-4:]:
        lamp.press(output=True)
    return list(Recorder.said)


def spoiled(value: Any, rnd: random.Random) -> Any:
    """The value with one thing wrong, somewhere in it."""
    if rnd.random() < 0.15:
        return rnd.choice(ODD)
    if isinstance(value, dict) and value:
        key = rnd.choice(list(value))
        if rnd.random() < 0.2:
            return {name: inner for name, inner in value.items() if name != key}
        return value | {key: spoiled(value[key], rnd)}
    if isinstance(value, list) and value:
        place = rnd.randrange(len(value))
        return [*value[:place], spoiled(value[place], rnd), *value[place + 1 :]]
    if isinstance(value, str) and value:
        place = rnd.randrange(len(value))
        return value[:place] + rnd.choice(["", "%", "9", "-", ",", "\0", "+"]) + value[place + 1 :]
    return rnd.choice(ODD)


def hostile(payload: bytes, rnd: random.Random) -> bytes:
    if rnd.random() < 0.1:
        return rnd.choice(RAW)
    try:
        value = json.loads(payload)
    except ValueError:
        value = payload.decode()
    made = spoiled(value, rnd)
    return made.encode() if isinstance(made, str) and rnd.random() < 0.4 else json.dumps(made).encode()


def take(families: Families, table: DeviceTable, topic: str, payload: bytes) -> list[str]:
    """Read a message into the table; the reasons of what was refused."""
    reasons = []
    for source, reading in families.read(topic, payload):
        reasons += [error.reason for error in reading.refusals]
        for seen in reading.sightings:
            known = table.get(seen.device_id)
            if not seen.removed and not seen.refused and (known is None or known.src == source):
                table.take(seen, source, retained=False, now=0, epoch_ms=0)
    return reasons


def assert_in_range(device: Device) -> None:
    state = device.state
    assert 0 <= state.bri <= 1
    assert all(0 <= channel <= 255 for channel in (state.r, state.g, state.b))
    assert state.ct == 0 or 1000 <= state.ct <= 12_000
    assert len(state.effect) <= 32
    assert len(device.name) <= 64


def test_no_payload_is_a_fault_of_ours_or_a_wrong_state(messages: Messages, tmp_path: Path):
    file = tmp_path / "lamps.yaml"
    file.write_text("lamps:\n" + plain.PlainLamp("", 1).entry)
    families, table = build_families(TwinSettings(lamps_file=file)), DeviceTable()
    for _ in range(2):  # a state may come before its announcement
        for topic, payload in messages:
            assert take(families, table, topic, payload) == []
    assert {device.src for device in table.devices()} == {"native", "plain", "z2m", "ha", "tasmota", "shelly"}
    rnd = random.Random(5)
    refused: set[str] = set()
    for number in range(COUNT):
        topic, payload = rnd.choice(messages)
        refused |= set(take(families, table, topic, hostile(payload, rnd)))
        if number % 100 == 0:
            for device in table.devices():
                assert_in_range(device)
    assert "reader_failed" not in refused
    assert {"bad_json", "bad_field", "not_finite", "bad_availability", "bad_discovery", "too_large"} <= refused
    assert len(table) < 1000
    for device in table.devices():
        if device.id in {"desk", "plain_1"}:
            assert families.write(device, Change(frozenset(Cap), Wish(on=True, bri=0.5, ct=3000)))
