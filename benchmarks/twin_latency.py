"""How long a lamp's state takes from MQTT to a WebSocket client, and a command from the client to the lamp's proof.

    python -m benchmarks.twin_latency [--rounds 200] [--clients 1] [--demo-broker]

Everything is real and on loopback: a broker process (Mosquitto, or our demo broker), the bridge under uvicorn in a
process of its own, paho on the lamp's side, `websockets` on the client's.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.twin_servers import bridge, demo_broker, mosquitto
from xgtwin.simulated_lamp import SimulatedLamp


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--clients", type=int, default=1, help="clients that all get every state")
    parser.add_argument("--demo-broker", action="store_true", help="amqtt in this process instead of Mosquitto")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(demo_broker() if options.demo_broker else mosquitto())
        port = broker.mqtt_port
        ws_url = f"ws://127.0.0.1:{stack.enter_context(bridge(port)).ws_port}/ws/v1"
        stack.enter_context(SimulatedLamp("bench_lamp", port=port))
        states, commands = asyncio.run(_measure(ws_url, port, options.rounds, options.clients))
    name = "demo broker" if options.demo_broker else "Mosquitto"
    for what, seconds in (("lamp -> client", states), ("command -> applied", commands)):
        ms = sorted(each * 1000 for each in seconds)
        tail = ms[int(len(ms) * 0.99)]
        print(
            f"{what:20} {name}, {options.clients} clients, n={len(ms)}: "
            f"median {statistics.median(ms):.2f} ms, p99 {tail:.2f} ms, max {ms[-1]:.2f} ms"
        )


async def _measure(url: str, port: int, rounds: int, clients: int) -> tuple[list[float], list[float]]:
    mqtt = paho.Client(CallbackAPIVersion.VERSION2)
    mqtt.connect("127.0.0.1", port)
    mqtt.loop_start()
    states: list[float] = []
    commands: list[float] = []
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connect(url, proxy=None)) for _ in range(clients)]
        for ws in sockets:
            await ws.send('{"t":"auth","v":1}')
            await _until(ws, lambda message: message["t"] == "snapshot")
        for turn in range(rounds):
            on = bool(turn % 2)
            started = time.perf_counter()
            mqtt.publish("twin/v1/latency/state", json.dumps({"on": on, "bri": 0.5}), qos=1)
            for ws in sockets:  # the last client counts
                await _until(ws, lambda message, on=on: _shows(message, "latency", on))
            states.append(time.perf_counter() - started)
        for turn in range(rounds):
            cid = f"c-{turn}"
            command = {
                "t": "cmd",
                "v": 1,
                "cid": cid,
                "id": "bench_lamp",
                "set": ["bri"],
                "state": {"bri": turn / rounds},
            }
            started = time.perf_counter()
            await sockets[0].send(json.dumps(command))
            await _until(
                sockets[0], lambda message, cid=cid: message.get("cid") == cid and message["stage"] == "applied"
            )
            commands.append(time.perf_counter() - started)
            await asyncio.sleep(0.06)  # a client's 20 commands a second
    mqtt.disconnect()
    mqtt.loop_stop()
    return states, commands


async def _until(ws: ClientConnection, wanted: Any) -> None:
    async with asyncio.timeout(10):
        while not wanted(json.loads(await ws.recv())):
            pass


def _shows(message: dict[str, Any], device_id: str, on: bool) -> bool:
    return any(each["id"] == device_id and each["state"]["on"] is on for each in message.get("devices", ()))


if __name__ == "__main__":
    main()
