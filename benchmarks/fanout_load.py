"""The load of `twin_fanout`: many WebSocket clients and one lamp publisher, in a process of its own.

    python -m benchmarks.fanout_load mqtt|twin MQTT_PORT WS_PORT CLIENTS

It speaks to a broker's WebSocket listener (`mqtt`) or to the bridge (`twin`) through the same code: raw sockets, one
epoll loop, no parsing. Every state carries a mark, `^^` and nine digits, which both sides pass on once per delivery; so
deliveries are counted by counting bytes, and the digits say which state it was. Commands come as JSON lines on stdin
(`{"phase": "flight", ...}`), results leave as JSON lines on stdout.
"""

import json
import re
import resource
import select
import socket
import sys
import time
from typing import Any

from benchmarks.fanout_wire import LAMPS, connected, frame, mqtt_connect, state

_MARK = re.compile(rb"\^\^(\d{9})")
_QUIET_SECONDS = 0.5
"""What has not come after so long without any delivery is lost."""
_RECEIVE_BYTES = 64 * 1024
"""Fixed for all clients: left to itself the system lets it grow to megabytes, which hold old states of either side."""
_WAVE = 50
"""Clients that connect at the same time: less than a listen backlog."""


class Load:
    def __init__(self, kind: str, mqtt_port: int, ws_port: int, clients: int) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (clients + 200, max(clients + 200, 4096)))
        self.delivered = 0
        self._watched: frozenset[int] = frozenset()  # clients whose marks are read
        self._marks: list[tuple[int, float, int]] = []  # client, when, which state
        self._sent_at: dict[int, float] = {}
        self._seq = 0
        self._epoll = select.epoll()
        # One for all reads: a new one of this size each time costs more than the read, and a load that is busy with
        # itself makes every server look alike.
        self._buffer = bytearray(1 << 18)
        self._sockets: dict[int, socket.socket] = {}
        self._tails: dict[int, bytes] = {}
        self._halved: dict[int, bool] = {}  # whether a mark was cut in two
        self._lamp = socket.create_connection(("127.0.0.1", mqtt_port))
        self._lamp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lamp.sendall(mqtt_connect("lamps"))
        assert self._lamp.recv(4)[:1] == b"\x20", "the broker refused the publisher"
        self._warm_up()
        for first in range(0, clients, _WAVE):
            self._connect(kind, ws_port, range(first, min(first + _WAVE, clients)))
        self._drain()

    def _warm_up(self) -> None:
        for _ in range(LAMPS):
            self.publish()
        time.sleep(0.5)

    def _connect(self, kind: str, port: int, names: range) -> None:
        for sock in connected(kind, port, names, _RECEIVE_BYTES):
            self._sockets[sock.fileno()] = sock
            self._tails[sock.fileno()], self._halved[sock.fileno()] = b"", False
            self._epoll.register(sock.fileno(), select.EPOLLIN)

    def publish(self, count: int = 1) -> None:
        packets = bytearray()
        for _ in range(count):
            self._seq += 1
            packets += state(self._seq)
            if self._watched:
                self._sent_at[self._seq] = time.perf_counter()
        self._lamp.sendall(packets)

    def step(self, timeout: float) -> bool:
        """Read what has come; says whether there was anything."""
        ready = self._epoll.poll(timeout)
        for number, _ in ready:
            self._read(number)
        return bool(ready)

    def _read(self, number: int) -> None:
        sock, data = self._sockets[number], self._buffer
        size = sock.recv_into(data)
        if not size:
            raise SystemExit("The server closed a connection.")
        self.delivered += data.count(b"^^", 0, size) + (self._halved[number] and data.startswith(b"^"))
        self._halved[number] = data.endswith(b"^", 0, size) and not data.endswith(b"^^", 0, size)
        if (ping := data.find(b"\x89\x04", 0, size)) >= 0:  # a ping of four bytes; states are ASCII
            sock.send(frame(10, bytes(data[ping + 2 : ping + 6])))
        if number not in self._watched:
            return
        now, text = time.perf_counter(), self._tails[number] + data[:size]
        self._marks += [(number, now, int(digits)) for digits in _MARK.findall(text)]
        cut = text.rfind(b"^", -10)
        self._tails[number] = text[cut:] if cut >= 0 else b""

    # --- phases ---

    def latency(self, per_second: float, seconds: float) -> dict[str, Any]:
        """States at a steady pace; how long each took to each client."""
        self._watched = frozenset(self._sockets)
        count = int(per_second * seconds)
        begun = time.perf_counter()
        for n in range(count):
            while (left := begun + n / per_second - time.perf_counter()) > 0:
                self.step(left)
            self.publish()
        self._drain()
        found = sorted(now - self._sent_at[seq] for _, now, seq in self._marks)
        self._forget()
        expected = count * len(self._sockets)
        return {
            "p50_ms": 1000 * found[len(found) // 2],
            "p99_ms": 1000 * found[int(len(found) * 0.99)],
            "lost": expected - len(found),
        }

    def flight(self, window: int, seconds: float, together: bool = False) -> dict[str, Any]:
        """Never more than `window` states under way: the next one leaves when one has reached all clients, or the next
        `window` of them `together`, when all have, as when a scene changes so many lamps."""
        clients = len(self._sockets)
        self._drain()
        base, sent = self.delivered, 0
        begun = time.perf_counter()
        quiet = 0.0
        while time.perf_counter() - begun < seconds and quiet < 2:
            room = window - -(-(sent * clients - (self.delivered - base)) // clients)
            if room >= (window if together else 1):
                self.publish(room)
                sent += room
            quiet = 0.0 if self.step(_QUIET_SECONDS) else quiet + _QUIET_SECONDS
        took = time.perf_counter() - begun
        per_second = (self.delivered - base) / took
        self._drain()
        return {"per_second": per_second, "lost": sent * clients - (self.delivered - base)}

    def neighbours(self, stalled: int, per_second: float, seconds: float) -> dict[str, Any]:
        """Some clients do not read at all; how much of it the others miss."""
        asleep = self._sleep(stalled)
        healthy = len(self._sockets) - stalled
        base, count = self.delivered, int(per_second * seconds)
        self._pace(count, per_second)
        self._drain()
        missed = 1 - (self.delivered - base) / (count * healthy)
        self._wake(asleep)
        self._drain()
        return {"missed": missed}

    def stall(self, per_second: float, seconds: float) -> dict[str, Any]:
        """One client does not read for a while; how many states it then reads that are older than its awakening, more
        than one that read all the time: what is under way in between is late for everybody."""
        asleep = self._sleep(1)
        sleeper, healthy = asleep[0], next(number for number in self._sockets if number not in asleep)
        self._watched = frozenset((sleeper, healthy))
        self._pace(int(per_second * seconds), per_second)
        woken = time.perf_counter()
        self._wake(asleep)
        self._pace(int(per_second * 2), per_second)
        self._drain()
        late = [number for number, now, seq in self._marks if now > woken > self._sent_at[seq]]
        self._forget()
        return {"stale": late.count(sleeper) - late.count(healthy)}

    def flood(self, seconds: float) -> dict[str, Any]:
        """States as fast as the broker takes them."""
        base, begun, sent = self.delivered, time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            self.publish(200)
            sent += 200
            self.step(0)
        took = time.perf_counter() - begun
        reached = self.delivered - base
        self._drain()
        return {"sent_per_second": sent / took, "per_second": reached / took}

    def _pace(self, count: int, per_second: float) -> None:
        begun = time.perf_counter()
        for n in range(0, count, 5):
            while (left := begun + n / per_second - time.perf_counter()) > 0:
                self.step(left)
            self.publish(5)

    def _forget(self) -> None:
        self._watched = frozenset()
        self._marks.clear()
        self._sent_at.clear()
        self._tails = dict.fromkeys(self._sockets, b"")

    def _sleep(self, count: int) -> list[int]:
        asleep = list(self._sockets)[:count]
        for number in asleep:
            self._epoll.unregister(number)
        return asleep

    def _wake(self, asleep: list[int]) -> None:
        for number in asleep:
            self._epoll.register(number, select.EPOLLIN)

    def _drain(self) -> None:
        while self.step(_QUIET_SECONDS):
            pass


def main() -> None:
    kind, mqtt_port, ws_port, clients = sys.argv[1], *map(int, sys.argv[2:5])
    load = Load(kind, mqtt_port, ws_port, clients)
    print(json.dumps({"connected": clients}), flush=True)
    commands = select.poll()
    commands.register(sys.stdin, select.POLLIN)
    while True:
        while not commands.poll(0):
            load.step(0.05)  # pings want their pongs between the phases too
        line = sys.stdin.readline()
        if not line:
            return
        command = json.loads(line)
        before = load.delivered
        result = getattr(load, command.pop("phase"))(**command)
        print(json.dumps(result | {"delivered": load.delivered - before}), flush=True)


if __name__ == "__main__":
    main()
