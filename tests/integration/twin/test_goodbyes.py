"""Who is sent away, and with which close code."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.twin.rig import Bridge, Mosquitto, bridge, client, peer, wait_until
from twin_bridge import conversation

ROOT = Path(__file__).parents[3]


async def test_a_wrong_token_is_4401_and_the_right_one_is_welcome(mosquitto: Mosquitto):
    with bridge(mosquitto.url, auth="on", token="s3cret") as running:
        async with client(running.ws) as unity:
            assert (await unity.next())["auth"] is True
            await unity.say("auth", token="guess")
            assert (await unity.until("error"))["code"] == "unauthorized"
            assert await unity.closed() == 4401
        async with client(running.ws) as unity:
            await unity.say("ping")
            assert await unity.closed() == 4401
        async with client(running.ws, auth={"token": "s3cret"}) as unity:
            await unity.until("snapshot")


async def test_a_viewer_sees_every_lamp_and_switches_none(mosquitto: Mosquitto):
    with (
        bridge(mosquitto.url, auth="on", token="s3cret", viewer_token="glass") as running,
        peer(mosquitto.port, "twin/v1/shown/set") as other,
    ):
        async with client(running.ws) as unity:
            await unity.say("auth", token="glass")
            assert (await unity.until("welcome"))["role"] == "viewer"
            other.lamp("shown", on=True)
            await unity.until_device("shown", on=True)
            await unity.command("c-1", "shown", on=False)
            assert (await unity.until("error", cid="c-1"))["code"] == "forbidden"
            await unity.say("auth", token="s3cret")
            assert (await unity.until("welcome"))["role"] == "operator"
            await unity.command("c-2", "shown", on=False)
            assert json.loads((await other.hear())[1]) == {"on": False}
        glass = {"Authorization": "Bearer glass"}
        assert running.get("/devices/shown", headers=glass).json()["state"]["on"] is True
        assert running.post("/devices/shown/set", headers=glass, json={"state": {"on": True}}).status_code == 403


async def test_http_wants_the_same_token(mosquitto: Mosquitto):
    with bridge(mosquitto.url, auth="on", token="s3cret") as running:
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer guess"}, 401),
            ({"Authorization": "Bearer s3cret"}, 200),
            ({"X-API-Key": "s3cret"}, 200),
        ):
            assert running.get("/devices", headers=headers).status_code == status


async def test_who_must_authenticate_and_is_silent_gets_4408(mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conversation, "AUTH_SECONDS", 0.1)
    with bridge(mosquitto.url, auth="on", token="s3cret") as running:
        async with client(running.ws) as unity:
            assert await unity.closed() == 4408


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://[nonsense"])
async def test_a_foreign_page_gets_4403(lamps: Bridge, origin: str):
    async with client(lamps.ws, origin=origin) as page:
        assert await page.closed() == 4403
    answer = lamps.post("/devices/x/set", json={"state": {}}, headers={"Origin": origin})
    assert answer.status_code == 403


async def test_pages_of_this_machine_and_listed_origins_are_let_in(mosquitto: Mosquitto):
    with bridge(mosquitto.url, allowed_origins=["https://lab.example"]) as running:
        for origin in ("http://127.0.0.1:8000", "https://lab.example"):
            async with client(running.ws, auth={}, origin=origin) as page:
                await page.until("snapshot")


@pytest.mark.parametrize("rubbish", ["not json", "[]", '"t"', '{"t":"ping","v":2}', b"binary"])
async def test_what_is_no_message_gets_4400(lamps: Bridge, rubbish: str | bytes):
    async with client(lamps.ws) as unity:
        await unity.ws.send(rubbish)
        assert await unity.closed() == 4400


async def test_a_client_of_another_subprotocol_gets_4400_and_the_name_of_ours(lamps: Bridge):
    async with client(lamps.ws, subprotocols=["mqtt"]) as unity:
        assert unity.ws.subprotocol is None
        assert "twin.v1.json" in (await unity.until("error"))["error"]
        assert await unity.closed() == 4400
    async with client(lamps.ws, subprotocols=["twin.v9.json", "twin.v1.json"]) as unity:
        assert unity.ws.subprotocol == "twin.v1.json"
        await unity.until("snapshot")


async def test_a_wrong_field_is_an_error_and_the_conversation_goes_on(lamps: Bridge, mosquitto: Mosquitto):
    with peer(mosquitto.port) as other:
        async with client(lamps.ws, auth={}) as unity:
            other.lamp("simple", on=True, bri=0.5)
            await unity.until_device("simple", on=True)
            for cid, command, code, words in (
                ("c-1", {"bri": 2}, "bad_field", "bri must be 0..1"),
                ("c-2", {"ct": 3000}, "bad_field", "this lamp cannot do ct; its caps are on, bri"),
                ("c-3", {}, "bad_field", "set must name at least one field, such as on"),
            ):
                await unity.command(cid, "simple", **command)
                error = await unity.until("error", cid=cid)
                assert (error["code"], error["error"]) == (code, words)
            await unity.command("c-4", "twin/v1/#", on=True)
            assert (await unity.until("error", cid="c-4"))["code"] == "unknown_device"
            await unity.say("cmd", cid="c-5", id="simple", set=["on"], state={"on": "maybe"})
            assert (await unity.until("error", cid="c-5"))["code"] == "bad_field"
            await unity.say("dance", cid="c-6")
            assert (await unity.until("error", cid="c-6"))["code"] == "unknown_type"
            await unity.say("ping", ts=5)
            await unity.until("pong", ts=5)


async def test_commands_beyond_the_burst_are_refused_one_by_one(lamps: Bridge, mosquitto: Mosquitto):
    with peer(mosquitto.port, "twin/v1/hurried/set") as other:
        async with client(lamps.ws, auth={}) as unity:
            other.lamp("hurried", on=True, bri=0.0)
            await unity.until_device("hurried", on=True)
            for n in range(80):
                await unity.command(f"c-{n}", "hurried", bri=n / 80)
            refused = await unity.until("error", code="rate")
            assert int(refused["cid"][2:]) >= 40
            await unity.say("ping", ts=1)
            await unity.until("pong", ts=1)
    assert other.heard.qsize() < 20, "80 commands in one moment are few messages to the lamp"


async def test_a_flood_gets_4429(lamps: Bridge):
    async with client(lamps.ws, auth={}) as unity:
        for _ in range(300):
            await unity.ws.send('{"t":"ping","v":1}')
        assert await unity.closed() == 4429


async def test_a_flood_of_commands_gets_4429_too(lamps: Bridge):
    async with client(lamps.ws, auth={}) as unity:
        for n in range(300):
            await unity.command(f"c-{n}", "anything", on=True)
        assert await unity.closed() == 4429


async def test_a_message_over_16_kb_gets_1009(lamps: Bridge):
    async with client(lamps.ws, auth={}) as unity:
        await unity.say("auth", client="x" * 20_000)
        assert await unity.closed() == 1009


async def test_one_client_too_many_gets_1013(mosquitto: Mosquitto):
    with bridge(mosquitto.url, max_clients=1) as running:
        async with client(running.ws, auth={}), client(running.ws) as second:
            assert (await second.until("error"))["code"] == "full"
            assert await second.closed() == 1013
        wait_until(lambda: running.get("/readyz").json()["clients"] == 0, "the first client's place")
        async with client(running.ws, auth={}) as third:
            await third.until("snapshot")


async def test_a_repeated_cid_is_one_command(lamps: Bridge, mosquitto: Mosquitto):
    with peer(mosquitto.port, "twin/v1/once/set") as other:
        async with client(lamps.ws, auth={"client": "unity-1"}) as unity:
            other.lamp("once", on=False)
            await unity.until_device("once", on=False)
            await unity.command("c-1", "once", on=True)
            await other.hear()
        async with client(lamps.ws, auth={"client": "unity-1"}) as again:
            await again.command("c-1", "once", on=True)
            await again.until("ack", cid="c-1", stage="published")
            other.lamp("once", on=True)
            await again.until("ack", cid="c-1", stage="applied")
    assert other.heard.empty()


async def test_two_requests_of_one_cid_are_one_command_and_both_are_answered(lamps: Bridge, mosquitto: Mosquitto):
    with peer(mosquitto.port, "twin/v1/both/set") as other:
        other.lamp("both", on=False)
        await asyncio.to_thread(wait_until, lambda: lamps.get("/devices/both").status_code == 200, "the lamp")
        on = {"cid": "same", "state": {"on": True}}
        first = asyncio.create_task(asyncio.to_thread(lamps.post, "/devices/both/set", json=on))
        await other.hear()
        second = asyncio.create_task(asyncio.to_thread(lamps.post, "/devices/both/set", json=on))
        another = {"cid": "same", "state": {"on": False}}
        refused = await asyncio.to_thread(lamps.post, "/devices/both/set", json=another)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_field")
        other.lamp("both", on=True)
        assert [(await each).json().get("stage") for each in (first, second)] == ["applied", "applied"]
    assert other.heard.empty()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "TWIN__MQTT_URL"),
        ({"TWIN__MQTT_URL": "http://broker"}, "mqtt[s]://"),
        ({"TWIN__MQTT_URL": "mqtt://broker", "TWIN__HOST": "0.0.0.0"}, "TWIN__TOKEN"),
    ],
)
def test_what_cannot_start_says_in_a_sentence_what_to_set(tmp_path: Path, settings: dict[str, str], words: str):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    done = subprocess.run(
        [sys.executable, "-m", "twin_bridge"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_published_schema_names_every_message(lamps: Bridge):
    schema = lamps.get("/protocol.json").json()
    text = json.dumps(schema)
    for kind in (
        "hello",
        "welcome",
        "snapshot",
        "state",
        "ack",
        "pong",
        "status",
        "error",
        "auth",
        "seen",
        "cmd",
        "ping",
    ):
        assert f'"const": "{kind}"' in text
