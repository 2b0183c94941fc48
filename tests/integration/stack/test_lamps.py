"""A lamp on the broker's container, followed and switched through the bridge's."""

import asyncio

import pytest
from pydantic import SecretStr

from shared.errors import Unavailable
from shared.settings import TwinSettings
from tests.acceptance.product import wait_until
from tests.integration.stack.compose import PATIENCE_S, Stack
from tests.integration.stack.crowd import refused
from twin_bridge.hub import MAX_PER_ADDRESS
from xgtwin.lamp_client import LampChange, command, watch
from xgtwin.simulated.native import NativeLamp


def twin_of(stack: Stack) -> TwinSettings:
    return TwinSettings(url=stack.twin_url, token=SecretStr(stack.settings["TWIN__TOKEN"]))


async def first_change(twin: TwinSettings, device: str, *, on: bool) -> LampChange:
    async for change in watch(twin):
        if change.id == device and change.device and change.device.state.on is on:
            return change
    raise AssertionError("the bridge said no more")


def known(stack: Stack, device: str) -> bool:
    with stack.client("twin_bridge", stack.settings["TWIN__TOKEN"]) as http:
        return http.get(f"/devices/{device}").status_code == 200


def test_a_lamp_is_switched_and_reports_back_through_the_broker(stack: Stack):
    lamp = NativeLamp(stack.lamps_url, "lamp_stack")
    with lamp.wire:
        wait_until(lambda: known(stack, "lamp_stack"), PATIENCE_S, "the lamp at the bridge")
        ack = asyncio.run(command(twin_of(stack), "lamp_stack", on=True, bri=0.25, ttl_ms=20_000))
        assert ack.stage == "applied"
        assert asyncio.run(asyncio.wait_for(first_change(twin_of(stack), "lamp_stack", on=True), PATIENCE_S))
        lamp.press(on=False)
        assert asyncio.run(asyncio.wait_for(first_change(twin_of(stack), "lamp_stack", on=False), PATIENCE_S))


def test_clients_behind_a_proxy_of_this_machine_are_not_one_address(stack: Stack):
    url = stack.twin_url.replace("http", "ws", 1) + "/ws/v1"
    assert asyncio.run(refused(url, stack.settings["TWIN__TOKEN"], MAX_PER_ADDRESS + 10)) == 0


def test_nobody_watches_lamps_without_the_token(stack: Stack):
    with stack.client("twin_bridge") as http:
        assert http.get("/devices").status_code == 401
    with pytest.raises(Unavailable):
        asyncio.run(command(TwinSettings(url=stack.twin_url, token=SecretStr("wrong")), "lamp_stack", on=True))


def test_the_broker_refuses_strangers(stack: Stack):
    with pytest.raises(Unavailable), NativeLamp(f"mqtt://127.0.0.1:{stack.lamps_port}", "stranger").wire:
        pass


def test_lamps_command_no_other_lamps(stack: Stack):
    lamp, neighbour = NativeLamp(stack.lamps_url, "lamp_a"), NativeLamp(stack.lamps_url, "lamp_b")
    with lamp.wire, neighbour.wire:
        wait_until(lambda: known(stack, "lamp_b"), PATIENCE_S, "the lamp at the bridge")
        lamp.wire.say("twin/v1/lamp_b/set", {"on": True})
        lamp.press(on=True)  # the broker has seen the command before this
        asyncio.run(asyncio.wait_for(first_change(twin_of(stack), "lamp_a", on=True), PATIENCE_S))
        with stack.client("twin_bridge", stack.settings["TWIN__TOKEN"]) as http:
            assert http.get("/devices/lamp_b").json()["state"]["on"] is False
