"""The arrow both ways, over real brokers: lamp -> MQTT -> bridge -> client, and back with an acknowledgement."""

import asyncio
import json
import statistics
import time

import httpx

from shared.settings import TwinSettings
from tests.integration.twin.rig import Mosquitto, bridge, client, peer
from twin_bridge.protocol import Stage
from xgtwin.demo_broker import DemoBroker
from xgtwin.lamp_client import command, watch
from xgtwin.simulated_lamp import SimulatedLamp

AnyBroker = Mosquitto | DemoBroker


async def test_what_a_lamp_reports_reaches_the_client(broker: AnyBroker):
    with bridge(broker.url) as running, peer(broker.port) as lamp:
        async with client(running.ws, auth={}) as unity:
            await unity.until("snapshot")
            lamp.lamp("arrow_in", on=True, bri=0.48, r=255, g=180, b=120)
            device = await unity.until_device("arrow_in", on=True)
    assert device["state"] == {
        "on": True, "bri": 0.48, "mode": "rgb", "r": 255, "g": 180, "b": 120, "ct": 0, "effect": "",
    }  # fmt: skip
    assert device["online"]
    assert device["known"]
    assert not device["stale"]
    assert device["caps"] == ["on", "bri", "rgb"]


async def test_a_command_is_acknowledged_only_when_the_lamp_reports_it(broker: AnyBroker):
    with bridge(broker.url) as running, peer(broker.port, "twin/v1/arrow_out/set") as lamp:
        async with client(running.ws, auth={}) as unity:
            lamp.lamp("arrow_out", on=False, bri=0.1)
            await unity.until_device("arrow_out", on=False)
            await unity.command("c-1", "arrow_out", on=True, bri=0.4)
            await unity.until("ack", cid="c-1", stage="accepted")
            await unity.until("ack", cid="c-1", stage="published")
            topic, payload, retained = await lamp.hear()
            assert (topic, json.loads(payload), retained) == ("twin/v1/arrow_out/set", {"on": True, "bri": 0.4}, False)
            shown = running.get("/devices/arrow_out").json()
            assert (shown["state"]["on"], shown["pending"], shown["desired"]["on"]) == (False, True, True)
            lamp.lamp("arrow_out", on=True, bri=0.41)
            applied = await unity.until("ack", cid="c-1")
            assert (applied["stage"], applied["error"]) == ("applied", "")
    with peer(broker.port, "twin/v1/arrow_out/set", "twin/v1/arrow_out/+") as late:
        late.publish("twin/v1/arrow_out/mark", b"end")
        topics = [(await late.hear())[0]]
        while topics[-1] != "twin/v1/arrow_out/mark":
            topics.append((await late.hear())[0])
    assert "twin/v1/arrow_out/set" not in topics, "a retained command is a ghost switch"


async def test_a_state_arrives_within_50_ms(mosquitto: Mosquitto):
    delays: list[float] = []
    with bridge(mosquitto.url) as running, peer(mosquitto.port) as lamp:
        async with client(running.ws, auth={}) as unity:
            await unity.until("snapshot")
            for turn in range(60):
                started = time.perf_counter()
                await asyncio.to_thread(lamp.lamp, "latency", on=bool(turn % 2))
                await unity.until_device("latency", on=bool(turn % 2))
                delays.append(time.perf_counter() - started)
    assert statistics.median(delays) < 0.05


async def test_the_command_line_client_switches_and_watches_a_simulated_lamp(demo_broker: DemoBroker):
    with SimulatedLamp("cli_lamp", port=demo_broker.port), bridge(demo_broker.url) as running:
        twin = TwinSettings(port=running.port, mqtt_url=demo_broker.url)
        changes = watch(twin)
        while True:
            first = await anext(changes)
            if first.id == "cli_lamp" and first.device and first.device.known and first.device.online:
                break
        ack = await command(twin, "cli_lamp", on=True, bri=0.3, rgb=(0, 128, 0))
        assert ack.stage is Stage.APPLIED
        async with asyncio.timeout(10):
            async for change in changes:
                if change.id == "cli_lamp" and change.device and change.device.state.on:
                    break
        await changes.aclose()  # type: ignore[attr-defined]
        device = running.get("/devices/cli_lamp").json()
    assert device["state"] | {"on": True, "bri": 0.3, "mode": "rgb", "r": 0, "g": 128, "b": 0} == device["state"]
    assert not device["pending"]


async def test_an_offline_lamp_is_last_known_and_takes_no_command(mosquitto: Mosquitto):
    with bridge(mosquitto.url) as running, peer(mosquitto.port, "twin/v1/gone/set") as lamp:
        async with client(running.ws, auth={}) as unity:
            lamp.lamp("gone", on=True)
            lamp.publish("twin/v1/gone/availability", b"offline")
            while (await unity.until_device("gone", on=True))["online"]:
                pass
            await unity.command("c-1", "gone", on=False)
            ack = await unity.until("ack", cid="c-1")
            assert ack["stage"] == "offline"
            assert running.get("/devices/gone").json()["state"]["on"] is True


async def test_a_lamp_that_does_not_answer_times_out_and_is_stale(mosquitto: Mosquitto):
    with bridge(mosquitto.url) as running, peer(mosquitto.port) as lamp:
        async with client(running.ws, auth={}) as unity:
            lamp.lamp("mute", on=True)
            await unity.until_device("mute", on=True)
            await unity.command("c-1", "mute", ttl=1000, on=False)
            await unity.until("ack", cid="c-1", stage="timeout")
            answer = running.post("/devices/mute/set", json={"state": {"on": False}, "ttl": 100})
            device = running.get("/devices/mute").json()
    assert (answer.status_code, answer.json()["code"]) == (503, "timeout")
    assert (device["stale"], device["state"]["on"], device["pending"]) == (True, True, False)


async def test_http_set_answers_when_the_lamp_has_reported(demo_broker: DemoBroker):
    with SimulatedLamp("http_lamp", port=demo_broker.port), bridge(demo_broker.url) as running:
        async with client(running.ws, auth={}) as unity:
            await unity.until_device("http_lamp", on=False)
        async with httpx.AsyncClient(base_url=running.http, trust_env=False) as http:
            answer = await http.post("/devices/http_lamp/set", json={"state": {"on": True, "ct": 3000}})
            nobody = await http.post("/devices/nobody/set", json={"state": {"on": True}})
            wrong = await http.post("/devices/http_lamp/set", json={"state": {"bri": 7}})
    assert (answer.status_code, answer.json()["stage"]) == (200, "applied")
    assert nobody.status_code == 404
    assert (wrong.status_code, wrong.json()["detail"]) == (400, "bri must be 0..1")
