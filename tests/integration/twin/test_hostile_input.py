"""Ten thousand broken payloads from MQTT and as many broken messages from clients: the bridge counts them, stays up,
and shows no state that no lamp reported."""

import json
import os
import random
import re
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.integration.twin.hostile import CLIENT_OBJECTS, LAMPS, NO_MESSAGES, PAYLOADS, TOPICS, mixed, spoilt
from tests.integration.twin.rig import SECONDS, Bridge, Mosquitto, bridge, check_published, peer, wait_until
from tests.processes import resident_mb
from twin_bridge import conversation

BATCH, DRAWN = 500, 12
"""Inputs in one go, and how many of them hypothesis draws (it gives up on much longer ones); the others are made from
these."""
MORE_MB = 100
"""What hypothesis, pytest and the bridge, all in this process, may take together for 10,000 inputs."""
MANY = settings(
    max_examples=20,
    phases=[Phase.generate],  # a batch that fails is not worth the minutes to make it smaller
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def counted(running: Bridge, metric: str) -> float:
    found = re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", running.get("/metrics").text, re.MULTILINE)
    return sum(map(float, found))


def is_object(payload: bytes) -> bool:
    try:
        return isinstance(json.loads(payload), dict)
    except (ValueError, RecursionError):
        return False


def check_devices(running: Bridge) -> None:
    for device in running.get("/devices").json()["items"]:
        for state in (device["state"], device["desired"]):
            assert 0 <= state["bri"] <= 1
            assert all(0 <= state[channel] <= 255 for channel in "rgb")
            assert state["ct"] == 0 or 1000 <= state["ct"] <= 12_000


@pytest.mark.timeout(300)
def test_ten_thousand_broken_payloads_are_counted_and_harm_nothing(mosquitto: Mosquitto):
    turns = 0
    with bridge(mosquitto.url) as running, peer(mosquitto.port) as lamp:
        wait_until(lambda: running.get("/readyz").status_code == 200, "the broker")
        begun = resident_mb(os.getpid())

        @MANY
        @given(st.lists(st.tuples(TOPICS, PAYLOADS), min_size=DRAWN, max_size=DRAWN))
        def survives(drawn: list[tuple[str, bytes]]) -> None:
            nonlocal turns
            turns += 1
            dice = random.Random(turns)
            messages = drawn + [
                (dice.choice(drawn)[0], spoilt(dice.choice(drawn)[1], dice)) for _ in range(BATCH - DRAWN)
            ]
            before = counted(running, "xgtwin_twin_bad_payloads_total")
            for topic, payload in messages:
                lamp.publish(topic, payload, qos=0)
            lamp.lamp("mark", on=bool(turns % 2), name=f"turn {turns}")
            wait_until(lambda: _name(running, "mark") == f"turn {turns}", "the lamp after the rubbish")
            surely_bad = sum(
                topic in {f"twin/v1/{each}/state" for each in LAMPS} and payload != b"" and not is_object(payload)
                for topic, payload in messages
            )
            assert counted(running, "xgtwin_twin_bad_payloads_total") - before >= surely_bad
            check_devices(running)

        survives()
        assert turns * BATCH >= 10_000
        assert resident_mb(os.getpid()) - begun < MORE_MB


@pytest.mark.timeout(300)
def test_ten_thousand_broken_messages_of_clients_are_counted_and_switch_nothing(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(conversation, "MESSAGE_BURST", 10**6)
    sent = 0
    with bridge(mosquitto.url) as running, peer(mosquitto.port) as lamp:
        for each in LAMPS:
            lamp.lamp(each, on=True, bri=0.5, r=1, g=2, b=3)
        wait_until(lambda: all(_name(running, each) for each in LAMPS), "the lamps")
        begun = resident_mb(os.getpid())
        states = _states(running)

        @MANY
        @given(st.lists(CLIENT_OBJECTS, min_size=DRAWN, max_size=DRAWN))
        def answers(drawn: list[dict[str, Any]]) -> None:
            nonlocal sent
            dice = random.Random(sent)
            messages = drawn + [mixed(drawn, dice) for _ in range(BATCH - DRAWN)]
            sent += len(messages)
            before = counted(running, "xgtwin_twin_refusals_total")
            with connect(running.ws, proxy=None, max_size=None) as ws:
                for message in messages:
                    ws.send(json.dumps({**message, "v": 1}))
                ws.send('{"t":"ping","v":1,"ts":77}')
                kinds = _until_pong(ws, 77)
            assert counted(running, "xgtwin_twin_refusals_total") - before == kinds["error"]

        @MANY
        @given(st.lists(NO_MESSAGES, min_size=20, max_size=20))
        def closes(messages: list[str | bytes]) -> None:
            nonlocal sent
            sent += len(messages)
            before = counted(running, "xgtwin_twin_goodbyes_total")
            codes = [_closed_with(running, message) for message in messages]
            assert set(codes) <= {4400, 1009}
            assert counted(running, "xgtwin_twin_goodbyes_total") - before == codes.count(4400)

        answers()
        closes()
        assert sent >= 10_000
        assert _states(running) == states
        assert resident_mb(os.getpid()) - begun < MORE_MB
        wait_until(lambda: running.get("/readyz").json()["clients"] == 0, "all clients to be gone")


def _name(running: Bridge, device_id: str) -> str:
    return str(running.get(f"/devices/{device_id}").json().get("name", ""))


def _states(running: Bridge) -> dict[str, Any]:
    devices = running.get("/devices").json()["items"]
    return {device["id"]: device["state"] for device in devices if device["id"] in LAMPS}


def _until_pong(ws: Connection, ts: int) -> Counter[str]:
    kinds: Counter[str] = Counter()
    deadline = time.monotonic() + SECONDS
    while True:
        message = json.loads(ws.recv(timeout=deadline - time.monotonic()))
        check_published(message)
        kinds[message["t"]] += 1
        if message["t"] == "pong" and message["ts"] == ts:
            return kinds


def _closed_with(running: Bridge, message: str | bytes) -> int:
    with connect(running.ws, proxy=None, max_size=None) as ws:
        ws.send(message)
        try:
            while True:
                ws.recv(timeout=SECONDS)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006
