"""Every family over a real Mosquitto: its lamp in, canonical state out, a command in its own form, `applied`."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.twin.rig import Bridge, Client, Mosquitto, bridge, client, peer, wait_until
from xgtwin.simulated.esphome import EsphomeNode
from xgtwin.simulated.home_assistant import HomeAssistantLight
from xgtwin.simulated.native import NativeLamp
from xgtwin.simulated.plain import PlainLamp
from xgtwin.simulated.shelly import ShellyDevice
from xgtwin.simulated.tasmota import TasmotaBulb
from xgtwin.simulated.z2m import Zigbee2MqttNetwork


@dataclass(frozen=True)
class Case:
    """A lamp of a family, what it is, and how a command for it reads on the wire."""

    make: Callable[[str], Any]
    id: str
    name: str
    src: str
    caps: list[str]
    first: dict[str, Any]
    wish: dict[str, Any]
    topic: str
    wire: list[Any]
    """What the lamp is told, in its order."""
    press: dict[str, Any]
    pressed: dict[str, Any]


def rpc(number: int, method: str, **params: Any) -> dict[str, Any]:
    return {"id": number, "method": method, "params": {"id": 0, **params}}


CASES = [
    Case(
        lambda url: NativeLamp(url, "desk", "Mesa"), "desk", "Mesa", "native", ["on", "bri", "rgb", "ct"],
        {"on": False, "bri": 0.5, "mode": "rgb", "r": 255, "g": 180, "b": 120}, {"on": True, "bri": 0.4},
        "twin/v1/desk/set", [{"on": True, "bri": 0.4}], {"on": False}, {"on": False},
    ),
    Case(
        lambda url: Zigbee2MqttNetwork(url, 1, names=("Sala/Câmara 1",)), "0x00158d0000000001", "Sala/Câmara 1", "z2m",
        ["on", "bri", "rgb", "ct"], {"on": False, "bri": 0.5, "mode": "ct", "ct": 2703},
        {"on": True, "bri": 0.4, "r": 0, "g": 0, "b": 255}, "zigbee2mqtt/Sala/Câmara 1/set",
        [{"state": "ON", "brightness": 102, "color": {"x": 0.15, "y": 0.06}}],
        {"name": "Sala/Câmara 1", "state": "OFF"}, {"on": False, "mode": "rgb", "b": 255},
    ),
    Case(
        lambda url: HomeAssistantLight(url, 1), "luz_1", "Luz 1", "ha", ["on", "bri", "rgb", "ct"],
        {"on": False, "bri": 0.5, "mode": "rgb", "r": 255, "g": 128, "b": 0}, {"on": True, "ct": 4000},
        "casa/luz1/set", [{"state": "ON", "color_temp": 4000}], {"brightness": 25}, {"bri": 0.25, "ct": 4000},
    ),
    Case(
        lambda url: EsphomeNode(url, 1), "ESPlightluz-c4dd57000001", "Luz", "ha", ["on", "bri", "rgb", "ct", "effect"],
        {"on": False, "bri": 0.502, "mode": "rgb", "r": 255, "g": 180, "b": 120},
        {"on": True, "ct": 4000, "effect": "Rainbow"}, "no-1/light/luz/command",
        [{"state": "ON", "color_temp": 250, "effect": "Rainbow"}], {"on": False}, {"on": False, "effect": "Rainbow"},
    ),
    Case(
        lambda url: TasmotaBulb(url, 1), "tasmota_A10001", "Bancada 1", "tasmota", ["on", "bri", "rgb", "ct"],
        {"on": False, "bri": 0.5, "mode": "rgb", "r": 255, "g": 128, "b": 0},
        {"on": True, "bri": 0.3, "r": 0, "g": 255, "b": 0}, "cmnd/tasmota_A10001/+", [b"120,100,30", b"ON"],
        {"on": False}, {"on": False, "bri": 0.3, "g": 255},
    ),
    Case(
        lambda url: ShellyDevice(url, 1, "rgbw"), "shellyplusrgbwpm-a8032a000001-rgbw-0", "Corredor 1 rgbw:0", "shelly",
        ["on", "bri", "rgb"], {"on": False, "bri": 0.5, "mode": "rgb", "r": 255, "g": 180, "b": 120},
        {"on": True, "r": 255, "g": 0, "b": 0}, "shellyplusrgbwpm-a8032a000001/rpc",
        [
            rpc(3, "RGBW.Set", on=True, rgb=[255, 0, 0], white=0), rpc(4, "RGBW.GetStatus"),
        ],
        {"brightness": 80}, {"on": True, "bri": 0.8, "r": 255, "g": 0},
    ),
    Case(
        lambda url: PlainLamp(url, 1), "plain_1", "Lâmpada 1", "plain", ["on"], {"on": False, "mode": "onoff"},
        {"on": True}, "plain/lamp1/set", [b"ON"], {"on": False}, {"on": False},
    ),
]  # fmt: skip


@pytest.fixture(params=CASES, ids=[f"{case.src}-{case.id}" for case in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    return request.param  # type: ignore[no-any-return]


@asynccontextmanager
async def twin(broker: Mosquitto, tmp_path: Path, lamps_file: str = "") -> AsyncIterator[tuple[Bridge, Client]]:
    """A bridge with a lamps file, and a client that has been welcomed."""
    file = tmp_path / "lamps.yaml"
    file.write_text(lamps_file or "lamps:\n" + PlainLamp(broker.url, 1).entry)
    with bridge(broker.url, lamps_file=file) as running:
        async with client(running.ws, auth={}) as unity:
            yield running, unity


def said(payload: bytes) -> Any:
    """What a message says, but for the address that a Shelly is to answer to: it is new with each start."""
    content = json.loads(payload) if payload.startswith(b"{") else payload
    if isinstance(content, dict):
        content.pop("src", None)
    return content


async def test_a_lamp_is_found_shown_commanded_in_its_own_form_and_acknowledged(
    own_mosquitto: Mosquitto, case: Case, tmp_path: Path
):
    async with twin(own_mosquitto, tmp_path) as (running, unity):
        lamp = case.make(own_mosquitto.url)
        with lamp.wire, peer(own_mosquitto.port, case.topic) as other:
            shown = await unity.until_device(case.id, **case.first)
            while (shown["name"], shown["online"], shown["known"], shown["stale"]) != (case.name, True, True, False):
                shown = await unity.until_device(case.id)
            assert (shown["src"], shown["caps"]) == (case.src, case.caps)
            await unity.command("c-1", case.id, **case.wish)
            await unity.until("ack", cid="c-1", stage="published")
            await unity.until("ack", cid="c-1", stage="applied")
            told: list[Any] = []
            while len(told) < len(case.wire):
                _, payload, retained = await other.hear()
                assert not retained, "a retained command is a ghost switch"
                told += [] if _is_question(payload) else [said(payload)]
            assert told == case.wire
            lamp.press(**case.press)
            await unity.until_device(case.id, **case.pressed)
            ids = {device["id"] for device in running.get("/devices").json()["items"]}
            assert ids == {case.id, "plain_1"}, "announced twice, shown once"


async def test_a_lamp_that_is_already_as_asked_acknowledges_too(own_mosquitto: Mosquitto, case: Case, tmp_path: Path):
    async with twin(own_mosquitto, tmp_path) as (_, unity):
        with case.make(own_mosquitto.url).wire:
            await unity.until_device(case.id, **case.first)
            await unity.command("c-1", case.id, on=case.first["on"])
            await unity.until("ack", cid="c-1", stage="applied")


async def test_a_broker_that_restarts_loses_no_lamp(own_mosquitto: Mosquitto, case: Case, tmp_path: Path):
    async with twin(own_mosquitto, tmp_path) as (_, unity):
        with case.make(own_mosquitto.url).wire:
            await unity.until_device(case.id, **case.first)
            own_mosquitto.kill()
            await unity.until("status", broker=False)
            own_mosquitto.start()
            await unity.until("status", broker=True)
            for attempt in range(20):  # the lamp itself takes a while to come back
                await unity.command(f"c-{attempt}", case.id, ttl=500, on=True)
                ack = await unity.until("ack", cid=f"c-{attempt}")
                while ack["stage"] in {"accepted", "published"}:
                    ack = await unity.until("ack", cid=f"c-{attempt}")
                if ack["stage"] == "applied":
                    break
            assert ack["stage"] == "applied"


@pytest.mark.parametrize("case", [case for case in CASES if case.src != "z2m"], ids=lambda case: case.id)
async def test_a_lamp_without_power_is_offline_and_keeps_its_last_state(
    own_mosquitto: Mosquitto, case: Case, tmp_path: Path
):
    async with twin(own_mosquitto, tmp_path) as (_, unity):
        lamp = case.make(own_mosquitto.url)
        with lamp.wire:
            shown = await unity.until_device(case.id, **case.first)
            while not shown["online"] or shown["stale"]:
                shown = await unity.until_device(case.id)
            lamp.wire.cut()
            while shown["online"]:
                shown = await unity.until_device(case.id)
            assert case.first.items() <= shown["state"].items()
            await unity.command("c-1", case.id, on=True)
            await unity.until("ack", cid="c-1", stage="offline")


async def test_a_zigbee_lamp_without_power_times_out_and_is_stale_until_it_answers(
    own_mosquitto: Mosquitto, tmp_path: Path
):
    network = Zigbee2MqttNetwork(own_mosquitto.url, 2, names=("viva", "morta"))
    dead = network.addresses[1]
    async with twin(own_mosquitto, tmp_path) as (running, unity):
        with network.wire:
            await unity.until_device(dead, on=False)
            network.unplug("morta")
            await unity.command("c-1", dead, ttl=1000, on=True)
            await unity.until("ack", cid="c-1", stage="timeout")
            shown = running.get(f"/devices/{dead}").json()
            assert (shown["online"], shown["stale"], shown["state"]["on"]) == (True, True, False)
            assert not running.get(f"/devices/{network.addresses[0]}").json()["stale"]
            network.dead.clear()
            network.press("morta", state="ON")
            assert not (await unity.until_device(dead, on=True))["stale"]


async def test_a_zigbee_gateway_that_dies_takes_all_its_lamps_offline(own_mosquitto: Mosquitto, tmp_path: Path):
    network = Zigbee2MqttNetwork(own_mosquitto.url, 3)
    async with twin(own_mosquitto, tmp_path) as (running, unity):
        with network.wire:
            for address in network.addresses:
                await unity.until_device(address, on=False)
            network.wire.cut()
            gone: set[str] = set()
            while gone < set(network.addresses):
                message = await unity.until("state")
                gone |= {device["id"] for device in message["devices"] if not device["online"]}
        with Zigbee2MqttNetwork(own_mosquitto.url, 2).wire:
            assert (await unity.until("snapshot", full=False))["removed"] == [network.addresses[2]]
            wait_until(lambda: running.get(f"/devices/{network.addresses[0]}").json()["online"], "its return")


async def test_a_renamed_zigbee_lamp_is_the_same_lamp(own_mosquitto: Mosquitto, tmp_path: Path):
    network = Zigbee2MqttNetwork(own_mosquitto.url, 1, names=("velho",))
    async with twin(own_mosquitto, tmp_path) as (_, unity):
        with network.wire:
            await unity.until_device(network.addresses[0], on=False)
            network.rename("velho", "novo/nome")
            while (await unity.until_device(network.addresses[0]))["name"] != "novo/nome":
                pass
            network.press("novo/nome", state="ON")
            await unity.until_device(network.addresses[0], on=True)


async def test_a_shelly_that_refuses_fails_the_command_in_its_own_words(own_mosquitto: Mosquitto, tmp_path: Path):
    shelly = ShellyDevice(own_mosquitto.url, 1, "light")
    device_id = f"{shelly.id}-light-0"
    async with twin(own_mosquitto, tmp_path) as (_, unity):
        with shelly.wire:
            await unity.until_device(device_id, on=False)
            shelly.broken = "Overtemperature protection is active"
            await unity.command("c-1", device_id, on=True)
            ack = await unity.until("ack", cid="c-1", stage="failed")
            assert ack["error"] == "The lamp refused: Overtemperature protection is active"


async def test_a_dead_shelly_acknowledges_nothing_while_another_bridge_of_the_same_name_talks_to_its_neighbour(
    own_mosquitto: Mosquitto, tmp_path: Path
):
    dead, neighbour = (ShellyDevice(own_mosquitto.url, number, "light") for number in (1, 2))
    url = own_mosquitto.url
    with neighbour.wire, bridge(url) as other, bridge(url) as running, dead.wire:
        for each in (other, running):
            wait_until(lambda each=each: len(_known(each)) == 2, "both lamps")  # type: ignore[misc]
        dead.wire.hear(f"{dead.prefix}/rpc", lambda *_: None)
        async with client(running.ws, auth={}) as unity, client(other.ws, auth={}) as another:
            for attempt in range(5):  # so that both count their calls alike
                await unity.command(f"c-{attempt}", f"{dead.id}-light-0", ttl=300, on=False)
                await another.command(f"c-{attempt}", f"{neighbour.id}-light-0", ttl=3000, on=False)
                await another.until("ack", cid=f"c-{attempt}", stage="applied")
                ack = await unity.until("ack", cid=f"c-{attempt}")
                while ack["stage"] in {"accepted", "published"}:
                    ack = await unity.until("ack", cid=f"c-{attempt}")
                assert ack["stage"] == "timeout"


async def test_a_lamp_that_cannot_do_it_is_not_told(own_mosquitto: Mosquitto, tmp_path: Path):
    async with twin(own_mosquitto, tmp_path) as (_, unity):
        with HomeAssistantLight(own_mosquitto.url, 1).wire, peer(own_mosquitto.port, "casa/luz1/set") as other:
            await unity.until_device("luz_1", on=False)
            await unity.command("c-1", "luz_1", ct=9000)
            assert (await unity.until("error", cid="c-1"))["error"] == "ct must be 2200..6500 kelvin"
            await unity.command("c-2", "luz_1", effect="Disco")
            assert "cannot do effect" in (await unity.until("error", cid="c-2"))["error"]
            assert other.heard.empty()


async def test_lamps_of_the_lamps_file_that_announce_nothing(own_mosquitto: Mosquitto, tmp_path: Path):
    file = """
ignore: [tasmota_A10002]
lamps:
  - {family: esphome, prefix: no-7, light: luz, id: teto, name: Teto, caps: [bri, rgb, ct]}
  - {family: tasmota, topic: tasmota_A10003, name: Parede, caps: [bri, rgb]}
  - {family: shelly, prefix: lab/corredor}
"""
    url = own_mosquitto.url
    async with twin(own_mosquitto, tmp_path, file) as (running, unity):
        assert [device["known"] for device in running.get("/devices").json()["items"]] == [False, False]
        node = EsphomeNode(url, 7, discovery=False)
        with (
            node.wire,
            TasmotaBulb(url, 2).wire,
            TasmotaBulb(url, 3, discovery=False).wire,
            ShellyDevice(url, 1, "switch", "lab/corredor").wire,
        ):
            ids = ["lab-corredor-switch-0-e5a25f", "tasmota_A10003", "teto"]
            wait_until(lambda: _known(running) == ids, "all lamps of the file")
            for device_id in ids:
                await unity.say("cmd", cid=device_id, id=device_id, set=["on"], state={"on": True}, trans=1.6, ttl=3000)
                await unity.until("ack", cid=device_id, stage="applied")
            assert node.transitions == [2], "ESPHome passes over a transition with a fraction"
            assert "tasmota_A10002" not in running.get("/devices").text


def _known(running: Bridge) -> list[str]:
    return [device["id"] for device in running.get("/devices").json()["items"] if device["known"]]


def _is_question(payload: bytes) -> bool:
    """Asked by the bridge itself when it found the device, before any command."""
    content = said(payload)
    return not payload or (isinstance(content, dict) and content.get("id") in {1, 2})
