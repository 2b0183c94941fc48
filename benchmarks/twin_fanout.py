"""The bridge beside the broker's own WebSocket port: what a Unity user gets from either, with many clients.

    python -m benchmarks.twin_fanout [--clients 1,100,1000] [--seconds 4] [--rounds 3]

For each number of clients both sides run at the same time with a load process each (`fanout_load`), and take turns:
first one is measured, then the other, `rounds` times. What counts are the ratios within one run, medians of the rounds.
Mosquitto hands on the lamp's 190 bytes; the bridge sends whole devices of some 420 bytes. Processor time is that of
the server, for the bridge together with its broker; it says most where other work shares the machine.
"""

import argparse
import contextlib
import json
import re
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

from benchmarks.twin_servers import Server, bridge, mosquitto

PACED = 10_000
"""Deliveries a second in the latency phase, over all clients; a lamp's states are 200 a second at most."""
STALL_RATE, STALL_SECONDS = 2750, 8
FLIGHTS = ((1, False), (8, False), (8, True))
"""States under way, and whether they leave together."""

Results = dict[str, dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--clients", default="1,100,1000")
    parser.add_argument("--seconds", type=float, default=4, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-stalls", action="store_true", help="only speed")
    options = parser.parse_args()
    print(f"{'':34}{'Mosquitto':>12}{'bridge':>12}{'ratio':>8}")
    for clients in map(int, options.clients.split(",")):
        with _both(clients) as sides:
            _speed(sides, clients, options.seconds, options.rounds)
    if not options.skip_stalls:
        with _both(20) as sides:
            _stalls(sides, options.seconds)
        with _both(1) as sides:
            _ingest(sides, options.seconds)


class Side:
    """One server under load."""

    def __init__(self, servers: tuple[Server, ...], load: "subprocess.Popen[str]") -> None:
        self._servers = servers
        self._load = load

    def ready(self) -> None:
        self._answer()

    def measure(self, phase: str, **options: float) -> dict[str, Any]:
        assert self._load.stdin
        before = self._cpu_seconds()
        self._load.stdin.write(json.dumps({"phase": phase, **options}) + "\n")
        self._load.stdin.flush()
        answer = self._answer()
        delivered = answer.pop("delivered")
        answer["cpu us per delivery"] = 1e6 * (self._cpu_seconds() - before) / max(1, delivered)
        return answer

    def states_taken(self) -> float:
        """States that the bridge has read, by its own count."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._servers[0].ws_port}/metrics") as page:
            found = re.search(r"^xgtwin_twin_states_total (\S+)$", page.read().decode(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    def resident_mb(self) -> float:
        return sum(server.resident_mb() for server in self._servers)

    def _cpu_seconds(self) -> float:
        return sum(server.cpu_seconds() for server in self._servers)

    def _answer(self) -> dict[str, Any]:
        assert self._load.stdout
        line = self._load.stdout.readline()
        if not line:
            raise SystemExit("The load process ended; what it said is above.")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextlib.contextmanager
def _both(clients: int) -> Iterator[tuple[Side, Side]]:
    """Mosquitto with its WebSocket port, and the bridge on a Mosquitto of its own."""
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(mosquitto(websockets=True))
        broker = stack.enter_context(mosquitto())
        twin = stack.enter_context(bridge(broker.mqtt_port))
        theirs = Side((own,), stack.enter_context(_load("mqtt", own.mqtt_port, own.ws_port, clients)))
        ours = Side((twin, broker), stack.enter_context(_load("twin", broker.mqtt_port, twin.ws_port, clients)))
        theirs.ready()
        ours.ready()
        yield theirs, ours


@contextlib.contextmanager
def _load(kind: str, mqtt_port: int, ws_port: int, clients: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "benchmarks.fanout_load", kind, str(mqtt_port), str(ws_port), str(clients)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _speed(sides: tuple[Side, Side], clients: int, seconds: float, rounds: int) -> None:
    pace = min(200, PACED / clients)
    phases: list[tuple[str, dict[str, float]]] = [("latency", {"per_second": pace, "seconds": seconds})]
    phases += [("flight", {"window": window, "seconds": seconds, "together": together}) for window, together in FLIGHTS]
    for phase, options in phases:
        found: tuple[list[dict[str, Any]], ...] = ([], [])
        for _ in range(rounds):
            for side, results in zip(sides, found, strict=True):
                results.append(side.measure(phase, **options))
        manner = "at once" if options.get("together") else "in flight"
        name = f"{clients} clients, " + (f"{options['window']} {manner}" if phase == "flight" else f"{pace:g}/s")
        for key in found[0][0]:
            theirs, ours = (statistics.median(result[key] for result in results) for results in found)
            _row(f"{name}: {key}", theirs, ours)


def _stalls(sides: tuple[Side, Side], seconds: float) -> None:
    before = [side.resident_mb() for side in sides]
    missed = [side.measure("neighbours", stalled=2, per_second=2000, seconds=seconds)["missed"] for side in sides]
    _row("2 of 20 do not read: others miss %", *(100 * share for share in missed))
    stale = [side.measure("stall", per_second=STALL_RATE, seconds=STALL_SECONDS)["stale"] for side in sides]
    _row(f"{STALL_SECONDS} s stall: stale messages read", *stale)
    grown = [side.resident_mb() - was for side, was in zip(sides, before, strict=True)]
    _row("memory grown by all this, MB", *grown)


def _ingest(sides: tuple[Side, Side], seconds: float) -> None:
    """Mosquitto only hands on; the bridge reads each state, and tells its client the newest of each lamp."""
    theirs, ours = sides
    flood = theirs.measure("flood", seconds=seconds)
    before = ours.states_taken()
    ours.measure("flood", seconds=seconds)
    _row("flood: states taken/s", flood["per_second"], (ours.states_taken() - before) / seconds)


def _row(name: str, theirs: float, ours: float) -> None:
    ratio = f"{ours / theirs:.2f}" if theirs else "-"
    print(f"{name:34}{theirs:12.2f}{ours:12.2f}{ratio:>8}", flush=True)


if __name__ == "__main__":
    main()
