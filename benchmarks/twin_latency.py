"""How long a lamp's state takes from MQTT to a WebSocket client, and a command from the client to the lamp's proof.

    python -m benchmarks.twin_latency [--rounds 200] [--clients 1] [--demo-broker]

Everything is real and on loopback: a broker process (Mosquitto, or our demo broker), the bridge under uvicorn in a
process of its own, paho on the lamp's side, `websockets` on the client's.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from websockets.asyncio.client import ClientConnection, connect

from xgtwin.demo_broker import DemoBroker
from xgtwin.simulated_lamp import SimulatedLamp

START_SECONDS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--clients", type=int, default=1, help="clients that all get every state")
    parser.add_argument("--demo-broker", action="store_true", help="amqtt in this process instead of Mosquitto")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(_demo_broker() if options.demo_broker else _mosquitto())
        ws_url = stack.enter_context(_bridge(port))
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise SystemExit(f"Nothing listens on port {port} after {START_SECONDS} s.")
        time.sleep(0.02)


@contextlib.contextmanager
def _demo_broker() -> Iterator[int]:
    with DemoBroker(port=0) as broker:
        yield broker.port


@contextlib.contextmanager
def _mosquitto() -> Iterator[int]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise SystemExit("Mosquitto is not installed (apt install mosquitto); or try --demo-broker.")
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
        process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def _bridge(mqtt_port: int) -> Iterator[str]:
    port = _free_port()
    settings = {"TWIN__MQTT_URL": f"mqtt://127.0.0.1:{mqtt_port}", "TWIN__PORT": str(port), "LOG__LEVEL": "error"}
    process = subprocess.Popen([sys.executable, "-m", "twin_bridge"], env={**os.environ, **settings})
    try:
        _wait_for(port)
        deadline = time.monotonic() + START_SECONDS
        while not _ready(port):
            if time.monotonic() > deadline:
                raise SystemExit("The bridge did not find the broker.")
            time.sleep(0.02)
        yield f"ws://127.0.0.1:{port}/ws/v1"
    finally:
        process.terminate()
        process.wait()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
