"""What clients may rely on: snapshots, resuming, fresh states for the slow, good states for all."""

import asyncio
import json
import re
import socket
from typing import Any

from websockets.asyncio.client import connect

from tests.integration.twin.rig import Bridge, Mosquitto, bridge, client, peer, wait_until


async def test_who_says_nothing_is_welcomed_all_the_same(lamps: Bridge):
    async with client(lamps.ws) as unity:
        hello = await unity.next()
        assert (hello["t"], hello["auth"], hello["max_msg"]) == ("hello", False, 16384)
        await unity.until("welcome")
        assert (await unity.until("snapshot"))["full"]


async def test_the_alias_and_the_subprotocol_are_spoken(lamps: Bridge):
    async with client(lamps.ws.removesuffix("/v1"), subprotocols=["twin.v1.json"]) as unity:
        assert unity.ws.subprotocol == "twin.v1.json"
        await unity.say("ping", ts=7)
        await unity.until("pong", ts=7)


async def test_a_snapshot_of_many_lamps_comes_in_parts(lamps: Bridge, mosquitto: Mosquitto):
    wanted = {f"many_{n}" for n in range(70)}
    with peer(mosquitto.port) as other:
        for device_id in sorted(wanted):
            other.lamp(device_id, on=True)
    async with client(lamps.ws, auth={}) as unity:
        parts = [await unity.until("snapshot")]
        while parts[-1]["part"] < parts[-1]["parts"]:
            parts.append(await unity.until("snapshot"))
    assert len(parts) >= 3
    assert all(len(json.dumps(part)) < 16_384 for part in parts)
    assert wanted <= {device["id"] for part in parts for device in part["devices"]}


async def test_who_resumes_gets_only_what_changed_meanwhile(lamps: Bridge, mosquitto: Mosquitto):
    with peer(mosquitto.port) as other:
        async with client(lamps.ws) as unity:
            await unity.say("auth")
            welcome = await unity.until("welcome")
            for device_id in ("kept", "changed", "removed"):
                other.lamp(device_id, on=True)
                await unity.until_device(device_id, on=True)
            await unity.say("ping", ts=1)
            seq = (await unity.until("pong"))["seq"]
        other.lamp("changed", on=False)
        other.publish("twin/v1/removed/state", b"")
        async with client(lamps.ws, auth={}) as unity:  # until both have arrived
            while True:
                await unity.say("ping", ts=1)
                if (await unity.until("pong"))["seq"] == seq + 2:
                    break
        async with client(lamps.ws) as unity:
            await unity.say("auth", epoch=welcome["epoch"], since=seq)
            assert (await unity.until("welcome"))["resumed"]
            snapshot = await unity.until("snapshot")
        async with client(lamps.ws) as unity:
            await unity.say("auth", epoch="of another life", since=seq)
            assert not (await unity.until("welcome"))["resumed"]
            assert (await unity.until("snapshot"))["full"]
    assert not snapshot["full"]
    assert [device["id"] for device in snapshot["devices"]] == ["changed"]
    assert snapshot["removed"] == ["removed"]


async def test_a_lamp_taken_out_is_told_to_those_who_watch(lamps: Bridge, mosquitto: Mosquitto):
    with peer(mosquitto.port) as other:
        async with client(lamps.ws, auth={}) as unity:
            other.lamp("short_lived", on=True)
            await unity.until_device("short_lived", on=True)
            other.publish("twin/v1/short_lived/state", b"")
            await unity.until("snapshot", full=False, removed=["short_lived"])


async def test_a_client_gets_only_the_lamps_it_asked_for(lamps: Bridge, mosquitto: Mosquitto):
    with peer(mosquitto.port) as other:
        async with client(lamps.ws, auth={"devices": ["mine"]}) as unity:
            await unity.until("snapshot")
            other.lamp("yours", on=True)
            other.lamp("mine", on=True)
            assert [device["id"] for device in (await unity.until("state"))["devices"]] == ["mine"]


async def test_max_hz_gives_the_newest_of_each_tick_and_counts_the_rest(lamps: Bridge, mosquitto: Mosquitto):
    seqs: list[tuple[int, int, int]] = []
    with peer(mosquitto.port) as other:
        async with client(lamps.ws, auth={"max_hz": 10}) as unity:
            start = (await unity.until("snapshot"))["seq"]
            for step in range(100):
                other.lamp("fader", on=True, bri=(step + 1) / 100)
            bri = 0.0
            while bri < 1:
                state = await unity.until("state")
                bri = state["devices"][0]["state"]["bri"]
                seqs.append((state["seq"], state["skipped"], len(state["devices"])))
    assert len(seqs) < 50
    assert sum(skipped for _, skipped, _ in seqs) > 40
    assert seqs[-1][0] - start == sum(skipped + devices for _, skipped, devices in seqs), "every gap is explained"


async def test_a_client_that_stops_reading_slows_nobody_and_gets_the_newest_state(lamps: Bridge, mosquitto: Mosquitto):
    filler = "x" * 32
    devices = [f"busy_{n}" for n in range(60)]
    slow_socket = socket.socket()
    slow_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    slow_socket.connect(("127.0.0.1", lamps.port))
    with peer(mosquitto.port) as other:
        # max_queue=1: the library stops reading its socket as soon as one message waits
        async with (
            connect(lamps.ws, sock=slow_socket, proxy=None, max_queue=1, max_size=None) as slow,
            client(lamps.ws, auth={}) as healthy,
        ):
            await slow.send(json.dumps({"t": "auth", "v": 1}))
            for step in range(40):
                for device_id in devices:
                    await asyncio.to_thread(
                        other.lamp, device_id, on=True, bri=step / 100, effect=f"{filler[:24]}{step}"
                    )
                await healthy.until_device(devices[-1], bri=step / 100)
            for device_id in devices:
                await asyncio.to_thread(other.lamp, device_id, on=False)
            await healthy.until_device(devices[-1], on=False)
            updates = 41 * len(devices)
            got, skipped, final = 0, 0, dict[str, Any]()
            async with asyncio.timeout(10):
                while len(final) < len(devices):
                    message = json.loads(await slow.recv())
                    skipped += message.get("skipped", 0)
                    for device in message.get("devices", ()) if message["t"] == "state" else ():
                        got += 1
                        if device["id"] in devices and not device["state"]["on"]:
                            final[device["id"]] = device
    assert skipped > updates / 4, "the slow client was not slow"
    assert got + skipped >= updates - len(devices)


async def test_bad_payloads_are_counted_and_the_last_good_state_stays(lamps: Bridge, mosquitto: Mosquitto):
    def counted() -> dict[str, float]:
        page = lamps.get("/metrics").text
        found = re.findall(r'xgtwin_twin_bad_payloads_total\{reason="(\w+)"\} ([\d.]+)', page)
        return {reason: float(count) for reason, count in found}

    before = counted()
    with peer(mosquitto.port) as other:
        async with client(lamps.ws, auth={}) as unity:
            other.lamp("tough", on=True, bri=0.7)
            await unity.until_device("tough", on=True)
            state = "twin/v1/tough/state"
            other.publish(state, b"{not json")
            other.publish(state, b'{"bri": NaN}')
            other.publish(state, b'{"bri": 1e999}')
            other.publish(state, b'{"on": "maybe"}')
            other.publish(state, b"[" * 5000)
            other.publish(state, b'{"effect": "' + b"x" * 17_000 + b'"}')
            other.publish("twin/v1/tough/availability", b"perhaps")
            other.publish("twin/v1/bridge/state", b'{"on": true}')
            other.lamp("tough", r=999, g=-5, b=0.4)
            device = await unity.until_device("tough", mode="rgb")
    assert device["state"] | {"on": True, "bri": 0.7, "r": 255, "g": 0, "b": 0} == device["state"]
    grown = {
        reason: count - before.get(reason, 0) for reason, count in counted().items() if count != before.get(reason)
    }
    assert grown == {
        "bad_json": 2, "not_finite": 2, "bad_field": 1, "too_large": 1, "bad_availability": 1, "bad_id": 1,
    }  # fmt: skip


async def test_every_stage_from_the_lamp_to_the_client_is_timed(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url) as running, peer(own_mosquitto.port) as lamp:
        before = _stage_counts(running)
        async with client(running.ws, auth={}) as unity:
            await unity.say("seen", seq=0)
            await unity.say("ping", ts=1)
            await unity.until("pong")
            wait_until(lambda: running.get("/readyz").status_code == 200, "the broker")
            lamp.lamp("timed", on=True)
            news = await unity.until("state")
            await unity.say("seen", seq=news["seq"])

            def all_timed() -> bool:
                counts = _stage_counts(running)
                return all(counts[stage] > before.get(stage, 0) for stage in ("read", "written", "seen", "stored"))

            await asyncio.to_thread(wait_until, all_timed, "all stages to be timed")


def _stage_counts(running: Bridge) -> dict[str, float]:
    rows = re.findall(r'xgtwin_twin_stage_seconds_count\{stage="(\w+)"\} ([\d.]+)', running.get("/metrics").text)
    return {stage: float(count) for stage, count in rows}
