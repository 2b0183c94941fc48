"""The bridge ends, one way or the other, and begins again: what was known is known, and clients resume."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.twin.rig import SECONDS, Mosquitto, Peer, bridge, client, free_port, peer, wait_until
from xgtwin.simulated.home_assistant import HomeAssistantLight
from xgtwin.simulated.z2m import Zigbee2MqttNetwork

ROOT = Path(__file__).parents[3]
Shown = dict[str, dict[str, Any]]


def lamps(other: Peer, *names: str, **state: Any) -> None:
    for name in names:
        other.publish(f"twin/v1/{name}/availability", b"online", retain=True)
        other.lamp(name, retain=True, **state)


def gone(other: Peer, *names: str) -> None:
    """Leave nothing at a broker that other tests use."""
    for name in names:
        other.publish(f"twin/v1/{name}/availability", b"", retain=True)
        other.publish(f"twin/v1/{name}/state", b"", retain=True)


def devices(port: int) -> Shown:
    answer = httpx.get(f"http://127.0.0.1:{port}/devices", trust_env=False, timeout=SECONDS)
    return {device["id"]: device for device in answer.json()["items"]}


async def test_clients_resume_across_a_restart_and_get_exactly_the_devices_that_changed(
    own_mosquitto: Mosquitto, tmp_path: Path
):
    with peer(own_mosquitto.port) as lamp:
        with bridge(own_mosquitto.url, data=tmp_path) as running:
            async with client(running.ws, auth={}) as unity:
                lamps(lamp, "ra", "rb", "rc", "rd", on=True, bri=0.4)
                known(running.port, "ra", "rb", "rc", "rd")
                await unity.say("auth", v=1)
                welcome = await unity.until("welcome")
        lamp.lamp("rb", retain=True, on=False, bri=0.4)
        gone(lamp, "rd")
        with bridge(own_mosquitto.url, data=tmp_path) as running:
            known(running.port, "ra", "rb", "rc")
            async with client(running.ws) as unity:
                await unity.say("auth", epoch=welcome["epoch"], since=welcome["seq"])
                again = await unity.until("welcome")
                assert (again["epoch"], again["resumed"]) == (welcome["epoch"], True)
                news = await unity.until("snapshot")
                assert [(device["id"], device["state"]["on"]) for device in news["devices"]] == [("rb", False)]
                assert (news["full"], news["removed"], news["parts"]) == (False, [], 1)
                assert "rd" in devices(running.port), "the bridge was not there to hear that it is gone"
                gone(lamp, "rd")
                assert (await unity.until("snapshot"))["removed"] == ["rd"]


async def test_the_last_known_state_is_shown_as_old_without_a_broker(own_mosquitto: Mosquitto, tmp_path: Path):
    with bridge(own_mosquitto.url, data=tmp_path) as running, peer(own_mosquitto.port) as lamp:
        async with client(running.ws, auth={}) as unity:
            lamp.lamp("known", on=True, bri=0.7)
            await unity.until_device("known", on=True)
    own_mosquitto.kill()
    with bridge(own_mosquitto.url, data=tmp_path) as running:
        device = devices(running.port)["known"]
        assert (device["known"], device["stale"], device["state"]["on"], device["state"]["bri"]) == (
            True,
            True,
            True,
            0.7,
        )
        own_mosquitto.start()
        wait_until(lambda: running.get("/readyz").status_code == 200, "the bridge to find its broker")
        with peer(own_mosquitto.port) as lamp:
            async with client(running.ws, auth={}) as unity:
                lamp.lamp("known", on=True, bri=0.7)
                while (await unity.until_device("known", on=True))["stale"]:
                    pass


def test_zigbee_lamps_are_stale_after_a_restart_until_they_answer(own_mosquitto: Mosquitto, tmp_path: Path):
    network = Zigbee2MqttNetwork(own_mosquitto.url, 2, names=("viva", "morta"))
    living, dead = network.addresses
    with network.wire:
        with bridge(own_mosquitto.url, data=tmp_path) as running:
            known(running.port, living, dead)
        network.unplug("morta")
        with bridge(own_mosquitto.url, data=tmp_path) as running:
            known(running.port, living)
            shown = devices(running.port)[dead]
            assert (shown["online"], shown["stale"]) == (True, True), "its gateway knows nothing of its state"


def test_lamps_that_nobody_announces_any_more_are_gone_or_offline_after_a_restart(
    own_mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("twin_bridge.relay.ANSWER_SECONDS", 1.0)
    network, light = Zigbee2MqttNetwork(own_mosquitto.url, 2), HomeAssistantLight(own_mosquitto.url, 1)
    kept, sold = network.addresses
    with peer(own_mosquitto.port) as other:
        with bridge(own_mosquitto.url, data=tmp_path) as running, network.wire, light.wire:
            other.lamp("native", on=True)
            known(running.port, kept, sold, "luz_1", "native")
        other.publish("homeassistant/light/luz_1/config", b"", retain=True)
    with Zigbee2MqttNetwork(own_mosquitto.url, 1).wire, bridge(own_mosquitto.url, data=tmp_path) as running:

        def online() -> set[str]:
            return {device["id"] for device in devices(running.port).values() if device["online"]}

        wait_until(lambda: online() == {kept, "native"}, "the others to be offline")
        wait_until(lambda: sold not in devices(running.port), "the sold one to be gone: Zigbee2MQTT lists all it has")
        assert running.post("/devices/luz_1/set", json={"state": {"on": True}}).json()["code"] == "offline"
        with HomeAssistantLight(own_mosquitto.url, 1).wire:
            known(running.port, "luz_1")
            assert online() == {kept, "native", "luz_1"}


def test_a_remembered_lamp_makes_room_for_one_of_another_family_that_is_there(own_mosquitto: Mosquitto, tmp_path: Path):
    file = tmp_path / "lamps.yaml"
    file.write_text("lamps:\n  - {family: plain, id: desk, state_topic: lab/state, command_topic: lab/set}\n")
    with peer(own_mosquitto.port) as other:
        with bridge(own_mosquitto.url, data=tmp_path) as running:
            other.lamp("desk", on=True, bri=0.5)
            known(running.port, "desk")
        with bridge(own_mosquitto.url, data=tmp_path, lamps_file=file) as running:
            shown = devices(running.port)["desk"]
            assert (shown["src"], shown["known"], shown["caps"]) == ("plain", False, ["on"])
            other.publish("lab/state", b"ON")
            known(running.port, "desk")
            other.lamp("desk", on=False)
            wait_until(lambda: 'reason="id_taken"' in running.get("/metrics").text, "the other to be refused")
            assert devices(running.port)["desk"]["state"]["on"]


def known(port: int, *names: str) -> None:
    """Wait until these lamps are online with a state."""

    def are() -> bool:
        shown = devices(port)
        return all(name in shown and shown[name]["known"] and not shown[name]["stale"] for name in names)

    wait_until(are, "the lamps to be known")


@contextmanager
def process(data: Path, mqtt_url: str, **settings: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """The bridge as `python -m twin_bridge` runs it."""
    port = free_port()
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "TWIN__MQTT_URL": mqtt_url, "TWIN__PORT": str(port),
        "XGTWIN_DATA_DIR": str(data), **settings,
    }  # fmt: skip
    running = subprocess.Popen([sys.executable, "-m", "twin_bridge"], cwd=data, env=environment)
    try:
        wait_until(lambda: _ready(port), "the bridge to find its broker")
        yield running, port
    finally:
        running.kill()
        running.wait(SECONDS)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False, timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


async def test_a_killed_bridge_has_lost_a_second_at_most_and_takes_nobody_for_up_to_date_who_is_not(
    own_mosquitto: Mosquitto, tmp_path: Path
):
    with peer(own_mosquitto.port) as lamp:
        with process(tmp_path, own_mosquitto.url) as (running, port):
            async with client(f"ws://127.0.0.1:{port}/ws/v1", auth={}) as unity:
                lamps(lamp, "ka", "kb", on=True, bri=0.5)
                known(port, "ka", "kb")
                await unity.say("ping", ts=1)
                kept = (await unity.until("pong"))["seq"]
                await unity.say("auth", v=1)
                epoch = (await unity.until("welcome"))["epoch"]
                wait_until(lambda: _written(tmp_path) >= kept, "the state to be written")
                lamp.lamp("ka", on=True, bri=0.6)  # not retained: nobody will say it again
                await unity.until_device("ka", bri=0.6)
                os.kill(running.pid, signal.SIGKILL)
                running.wait(SECONDS)
        with process(tmp_path, own_mosquitto.url) as (_, port):
            url = f"ws://127.0.0.1:{port}/ws/v1"
            assert devices(port)["kb"]["state"]["bri"] == 0.5
            async with client(url) as unity:
                await unity.say("auth", epoch=epoch, since=kept)
                assert (await unity.until("welcome"))["resumed"] is True
            async with client(url) as unity:
                await unity.say("auth", epoch=epoch, since=kept + 1000)
                assert (await unity.until("welcome"))["resumed"] is False


def _execute(data: Path, statement: str) -> None:
    with closing(sqlite3.connect(data / "xgtwin.db", timeout=SECONDS)) as database, database:
        database.execute(statement)


def _written(data: Path) -> int:
    with closing(sqlite3.connect(data / "xgtwin.db")) as database:
        return int(database.execute("SELECT seq FROM bridges").fetchone()[0])


async def test_a_database_that_fails_costs_the_memory_and_nothing_else(own_mosquitto: Mosquitto, tmp_path: Path):
    (tmp_path / "xgtwin.db").write_bytes(b"this is no database" * 100)
    with bridge(own_mosquitto.url, data=tmp_path) as running, peer(own_mosquitto.port) as lamp:
        async with client(running.ws, auth={}) as unity:
            lamp.lamp("alive", on=True)
            await unity.until_device("alive", on=True)
        ready = running.get("/readyz")
        assert ready.status_code == 200
        assert "DATABASE_URL" in ready.json()["history"]
        assert 'xgtwin_twin_history_failures_total{work="open"}' in running.get("/metrics").text


async def test_what_a_failing_database_missed_is_written_when_it_is_back(
    own_mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("twin_bridge.history.recorder.AGAIN_SECONDS", 0.1)
    with bridge(own_mosquitto.url, data=tmp_path) as running, peer(own_mosquitto.port) as lamp:
        wait_until(lambda: running.get("/readyz").json()["history"] == "ok", "the database")
        _execute(tmp_path, "ALTER TABLE bridges RENAME TO elsewhere")
        async with client(running.ws, auth={}) as unity:
            for bri in (0.1, 0.2):
                lamp.lamp("missed", on=True, bri=bri)
                await unity.until_device("missed", bri=bri)
                wait_until(lambda: "failed to write" in running.get("/readyz").json()["history"], "the failure")
        _execute(tmp_path, "ALTER TABLE elsewhere RENAME TO bridges")
        wait_until(lambda: running.get("/readyz").json()["history"] == "ok", "the database")
        items = running.get("/devices/missed/history").json()["items"]
        assert [item["state"]["bri"] for item in items] == [0.1, 0.2]


async def test_a_database_that_comes_late_is_taken_in_and_the_clients_hear_of_it(
    own_mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("twin_bridge.history.recorder.AGAIN_SECONDS", 0.1)
    with bridge(own_mosquitto.url, data=tmp_path) as running, peer(own_mosquitto.port) as lamp:
        async with client(running.ws, auth={}) as unity:
            lamp.lamp("earlier", on=True)
            await unity.until_device("earlier", on=True)
    database = tmp_path / "xgtwin.db"
    database.rename(tmp_path / "elsewhere")
    database.mkdir()  # so it cannot be opened
    with bridge(own_mosquitto.url, data=tmp_path) as running, peer(own_mosquitto.port) as lamp:
        async with client(running.ws, auth={}) as unity:
            lamp.lamp("later", on=True)
            await unity.until_device("later", on=True)
            database.rmdir()
            (tmp_path / "elsewhere").rename(database)
            assert (await unity.until_device("earlier", on=True))["stale"]
    with bridge(own_mosquitto.url, data=tmp_path) as running:
        assert devices(running.port).keys() == {"earlier", "later"}
