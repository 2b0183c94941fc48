"""The broker dies and comes back; the bridge says so, recovers, and sends nothing late."""

import json

import pytest

from tests.integration.twin.rig import Mosquitto, bridge, client, peer, wait_until
from xgtwin.simulated.z2m import Zigbee2MqttNetwork


async def test_clients_hear_that_the_broker_is_lost_and_back_and_states_flow_again(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url) as running:
        async with client(running.ws, auth={}) as unity:
            with peer(own_mosquitto.port) as lamp:
                lamp.lamp("lamp_a", on=True)
                await unity.until_device("lamp_a", on=True)
            own_mosquitto.kill()
            lost = await unity.until("status", broker=False)
            assert "connection lost" in lost["reason"]
            ready = running.get("/readyz")
            assert ready.status_code == 503
            assert "TWIN__MQTT_URL" in ready.json()["checks"]["broker"]
            own_mosquitto.start()
            await unity.until("status", broker=True)
            with peer(own_mosquitto.port) as lamp:
                lamp.lamp("lamp_a", on=False)
                await unity.until_device("lamp_a", on=False)
            assert running.get("/readyz").status_code == 200


def test_lamps_that_are_not_heard_after_the_broker_is_back_are_stale(
    own_mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("twin_bridge.polling.ANSWER_SECONDS", 1.0)
    network = Zigbee2MqttNetwork(own_mosquitto.url, 2, names=("viva", "morta"))
    living, dead = network.addresses
    with bridge(own_mosquitto.url) as running:

        def fresh() -> set[str]:
            devices = running.get("/devices").json()["items"]
            return {device["id"] for device in devices if device["known"] and not device["stale"]}

        with network.wire:
            with peer(own_mosquitto.port) as lamp:
                for name in ("passing", "kept"):
                    lamp.lamp(name, on=True)
                wait_until(lambda: fresh() == {living, dead, "passing", "kept"}, "all lamps")
            network.unplug("morta")
            own_mosquitto.kill()
            wait_until(lambda: running.get("/readyz").status_code == 503, "the loss")
            own_mosquitto.start()
            with peer(own_mosquitto.port) as lamp:  # it goes on as it was, and a lamp that changed says so
                lamp.lamp("kept", on=False, retain=True)
                wait_until(lambda: fresh() == {living, "kept"}, "the others to be stale")


async def test_a_command_given_while_the_broker_is_away_is_offline_and_never_sent_later(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url) as running:
        async with client(running.ws, auth={}) as unity:
            with peer(own_mosquitto.port) as lamp:
                lamp.lamp("lamp_b", on=True)
                await unity.until_device("lamp_b", on=True)
            own_mosquitto.kill()
            await unity.until("status", broker=False)
            await unity.command("late", "lamp_b", on=False)
            ack = await unity.until("ack", cid="late", stage="offline")
            assert "not connected" in ack["error"]
            answer = running.post("/devices/lamp_b/set", json={"state": {"on": False}})
            assert (answer.status_code, answer.json()["code"]) == (503, "offline")
            own_mosquitto.start()
            with peer(own_mosquitto.port, "twin/v1/lamp_b/set") as lamp:
                await unity.until("status", broker=True)
                await unity.command("fresh", "lamp_b", on=True)
                _, payload, _ = await lamp.hear()
                assert json.loads(payload) == {"on": True}, "the lost command must not come first"


async def test_a_command_the_broker_never_confirmed_is_not_repeated_when_it_is_back(own_mosquitto: Mosquitto):
    with bridge(own_mosquitto.url) as running:
        async with client(running.ws, auth={}) as unity:
            with peer(own_mosquitto.port) as lamp:
                lamp.lamp("lamp_c", on=True)
                await unity.until_device("lamp_c", on=True)
            own_mosquitto.freeze()
            await unity.command("unconfirmed", "lamp_c", on=False, ttl=30_000)
            await unity.until("ack", cid="unconfirmed", stage="accepted")
            own_mosquitto.kill()
            await unity.until("ack", cid="unconfirmed", stage="failed")
            own_mosquitto.start()
            with peer(own_mosquitto.port, "twin/v1/lamp_c/set") as lamp:
                await unity.until("status", broker=True)
                await unity.command("fresh", "lamp_c", on=True)
                _, payload, _ = await lamp.hear()
                assert json.loads(payload) == {"on": True}, "a lamp must not switch because a broker came back"


async def test_the_bridge_tells_mqtt_that_it_is_there_and_that_it_left(mosquitto: Mosquitto):
    topic = "twin/v1/bridge/announced/status"
    with peer(mosquitto.port, topic) as other:
        with bridge(mosquitto.url, name="announced"):
            assert (await other.hear())[:2] == (topic, b"online")
        assert (await other.hear())[:2] == (topic, b"offline")
    with peer(mosquitto.port, topic) as later:
        assert await later.hear() == (topic, b"offline", True)


async def test_mqtt_5_works_too(mosquitto: Mosquitto):
    with bridge(f"{mosquitto.url}?version=5") as running, peer(mosquitto.port, "twin/v1/five/set") as lamp:
        async with client(running.ws, auth={}) as unity:
            lamp.lamp("five", on=False)
            await unity.until_device("five", on=False)
            await unity.command("c-1", "five", on=True)
            await unity.until("ack", cid="c-1", stage="published")
            assert json.loads((await lamp.hear())[1]) == {"on": True}


async def test_a_bridge_starts_without_its_broker_and_finds_it_later(own_mosquitto: Mosquitto):
    own_mosquitto.kill()
    with bridge(own_mosquitto.url) as running:
        async with client(running.ws) as unity:
            await unity.say("auth")
            assert (await unity.until("welcome"))["broker"] is False
            own_mosquitto.start()
            await unity.until("status", broker=True)


async def test_a_retained_state_is_known_but_stale_until_the_lamp_speaks(mosquitto: Mosquitto):
    with peer(mosquitto.port) as lamp:
        lamp.lamp("relic", on=True, retain=True)
        with bridge(mosquitto.url) as running:
            async with client(running.ws, auth={}) as unity:
                relic = await unity.until_device("relic", on=True)
                assert (relic["known"], relic["stale"]) == (True, True)
                lamp.lamp("relic", on=True)
                while (await unity.until_device("relic", on=True))["stale"]:
                    pass
        lamp.publish("twin/v1/relic/state", b"", retain=True)
