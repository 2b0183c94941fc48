"""Two bridges of one name: both live, one writes the history, and when that is killed the other does."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.twin.rig import SECONDS, Mosquitto, client, peer, wait_until
from tests.integration.twin.test_restart import devices, known, process

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield {}
        else:
            yield {"DATABASE_URL": stack.enter_context(request.getfixturevalue("postgres").migrated())}


def ws(port: int) -> str:
    return f"ws://127.0.0.1:{port}/ws/v1"


def says(port: int, path: str) -> Any:
    return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=SECONDS).json()


def writes(port: int) -> bool:
    return bool(says(port, "/readyz")["history"] == "ok")


def changes(port: int, name: str) -> list[bool]:
    """Whether the lamp was on, of each change that is written down, oldest first."""
    items = says(port, f"/devices/{name}/history?limit=100")["items"]
    return [item["state"]["on"] for item in sorted(items, key=lambda item: item["ts"])]


async def test_either_bridge_shows_and_switches_and_one_of_them_writes(
    own_mosquitto: Mosquitto, tmp_path: Path, database: dict[str, str]
):
    with (
        process(tmp_path, own_mosquitto.url, TWIN__INSTANCE="1", **database) as (first, one),
        process(tmp_path, own_mosquitto.url, TWIN__INSTANCE="2", **database) as (_, other),
        peer(own_mosquitto.port, "twin/v1/lamp/set", "twin/v1/bridge/+/status") as lamp,
    ):
        assert (writes(one), writes(other)) == (True, False)
        lamp.lamp("lamp", on=False, bri=0.5)
        for port in (one, other):
            known(port, "lamp")
        async with client(ws(one), auth={}) as unity, client(ws(other), auth={}) as browser:
            for speaker, on in ((unity, True), (browser, False)):
                await speaker.command(f"c-{on}", "lamp", on=on)
                lamp.lamp("lamp", on=on, bri=0.5)
                await speaker.until("ack", cid=f"c-{on}", stage="applied")
        wait_until(lambda: len(changes(one, "lamp")) >= 3, "the history")
        assert changes(one, "lamp") == changes(other, "lamp") == [False, True, False]

        async with client(ws(one)) as unity:
            await unity.say("auth")
            place = await unity.until("welcome")
        first.kill()
        first.wait()
        wait_until(lambda: writes(other), "the other bridge to write")
        lamp.lamp("lamp", on=True, bri=0.9)
        async with client(ws(other)) as unity:
            await unity.say("auth", epoch=place["epoch"], since=place["seq"])
            assert (await unity.until("welcome"))["resumed"] is False
            assert (await unity.until_device("lamp", on=True))["state"]["bri"] == 0.9
        wait_until(lambda: changes(other, "lamp")[-1:] == [True], "the history to go on")
        assert changes(other, "lamp") == [False, True, False, True]
        heard = {}
        while not lamp.heard.empty():
            topic, payload, _ = lamp.heard.get()
            heard[topic] = payload
        assert heard["twin/v1/bridge/xgtwin-1/status"] == b"offline"
        assert heard["twin/v1/bridge/xgtwin-2/status"] == b"online"

        with process(tmp_path, own_mosquitto.url, TWIN__INSTANCE="3", **database) as (_, third):
            shown = devices(third)["lamp"]
            assert (shown["state"]["on"], shown["stale"]) == (True, True), "known from the other, and not heard yet"
            assert not writes(third)
