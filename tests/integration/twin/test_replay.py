"""The past once more over a WebSocket: at its speed, in its order, and never taken for live."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.twin.rig import Client, Mosquitto, bridge, client, peer, wait_until
from tests.integration.twin.test_history import recorded


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def shown(unity: Client, device_id: str) -> list[tuple[float, float]]:
    """When each brightness of a lamp was shown, in seconds, until the goodbye."""
    found = []
    async for text in unity.ws:
        message = json.loads(text)
        for device in message.get("devices", ()):
            if device["id"] == device_id:
                found.append((time.monotonic(), device["state"]["bri"]))
    return found


@pytest.fixture
def past(own_mosquitto: Mosquitto, tmp_path: Path):
    """A bridge with a lamp that was 0.1, 0.2 and 0.3 bright, and when that was."""
    with bridge(own_mosquitto.url, data=tmp_path) as running, peer(own_mosquitto.port) as lamp:
        wait_until(lambda: running.get("/readyz").status_code == 200, "the broker")
        for count, bri in enumerate((0.1, 0.2, 0.3), 1):
            lamp.lamp("was", on=True, bri=bri)
            recorded(running, "was", *(0.1, 0.2, 0.3)[:count])
        yield running, [item["ts"] for item in recorded(running, "was", 0.1, 0.2, 0.3)], lamp


@pytest.mark.parametrize("speed", [1.0, 4.0])
async def test_a_replay_shows_what_was_in_its_order_and_at_its_speed(past: Any, speed: float):
    running, times, _ = past
    async with client(f"{running.ws}?replay={times[0] - 100},{times[2] + 100},{speed}", auth={}) as unity:
        found = await shown(unity, "was")
        assert (unity.ws.close_code, unity.ws.close_reason) == (1000, "the replay is over")
    assert [bri for _, bri in found] == [0.1, 0.2, 0.3]
    took, should = found[-1][0] - found[0][0], (times[2] - times[0]) / 1000 / speed
    assert should - 0.05 < took < should + 0.5


async def test_a_replay_is_told_apart_from_live_and_takes_no_commands(past: Any):
    running, times, lamp = past
    async with client(f"{running.ws}?replay={times[1]},{now_ms()},0.1") as unity:
        await unity.say("auth")
        welcome = await unity.until("welcome")
        assert (welcome["replay"], welcome["role"], welcome["resumed"]) == (True, "viewer", False)
        assert welcome["epoch"].startswith("replay-")
        device = await unity.until_device("was")
        assert (device["state"]["bri"], device["ts"], device["name"]) == (0.2, times[1], "was"), "what held then"
        lamp.lamp("was", on=True, bri=0.9)
        recorded(running, "was", 0.1, 0.2, 0.3, 0.9)
        await unity.command("c-1", "was", on=False)
        refused = await unity.until("error")
        assert (refused["code"], refused["cid"]) == ("forbidden", "c-1")
        assert "replay" in refused["error"]
    async with client(running.ws) as unity:
        await unity.say("auth")
        live = await unity.until("welcome")
        assert (live["replay"], live["role"]) == (False, "operator")
        assert (await unity.until_device("was"))["state"]["bri"] == 0.9


async def test_a_lamp_that_was_taken_out_leaves_the_replay_too(past: Any):
    running, times, lamp = past
    lamp.publish("twin/v1/was/state", b"", retain=True)
    recorded(running, "was", 0.1, 0.2, 0.3, 0.3)
    async with client(f"{running.ws}?replay={times[0]},0,4", auth={}) as unity:
        await unity.until_device("was", bri=0.3)
        assert (await unity.until("snapshot", full=False))["removed"] == ["was"]
        assert await unity.closed() == 1000


@pytest.mark.parametrize("asked", ["", "1", "a,b,c", "1,2,0", "1,2,nan", "5,4,1", "99999999999999999,0,1", "1,2,3,4"])
async def test_what_cannot_be_replayed_is_refused_in_words(own_mosquitto: Mosquitto, asked: str):
    with bridge(own_mosquitto.url) as running:
        async with client(f"{running.ws}?replay={asked}") as unity:
            refused = await unity.until("error")
            assert refused["code"] == "bad_field"
            assert "replay" in refused["error"]
            assert await unity.closed() == 4400


async def test_a_replay_needs_the_token_too(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url, auth="on", token="secret") as running:
        async with client(f"{running.ws}?replay=1,0,1") as unity:
            await unity.say("auth", token="wrong")
            assert await unity.closed() == 4401


async def test_replays_have_an_end_in_number(past: Any, monkeypatch: pytest.MonkeyPatch):
    running, times, _ = past
    monkeypatch.setattr("twin_bridge.history.replay.MAX_REPLAYS", 1)
    url = f"{running.ws}?replay={times[0]},0,0.1"
    async with client(url, auth={}) as first:
        await first.until_device("was")
        async with client(url, auth={}) as second:
            assert await second.closed() == 1013


async def test_a_replay_that_fails_is_counted(past: Any, tmp_path: Path):
    running, times, _ = past
    with closing(sqlite3.connect(tmp_path / "xgtwin.db")) as database, database:
        database.execute("ALTER TABLE state_history RENAME TO elsewhere")
    async with client(f"{running.ws}?replay={times[0]},0,1", auth={}) as unity:
        assert await unity.closed() in {1011, 1013}
    assert 'xgtwin_twin_history_failures_total{work="replay"} 1.0' in running.get("/metrics").text
