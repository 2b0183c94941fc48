"""Clients that send what costs them nothing, or do not read: they take neither memory nor a place for long."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode

from shared.web import direct_websocket
from tests.integration.twin.rig import SECONDS, Bridge, Mosquitto, bridge, client, serving, wait_until
from tests.processes import resident_mb

HANDSHAKE = (
    "GET /ws/v1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TOKEN = "a-long-random-text-for-tests"


def stalled(running: Bridge) -> socket.socket:
    """A client that reads nothing but that it is let in."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(SECONDS)
    sock.connect(("127.0.0.1", running.port))
    sock.sendall(HANDSHAKE.encode())
    while not sock.recv(1).startswith(b"\n") or sock.recv(2, socket.MSG_PEEK) != b"\r\n":
        pass
    return sock


def frames(opcode: Opcode, data: bytes, count: int, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True) * count


def sent_until_cut_off(sock: socket.socket, flood: bytes, limit_mb: int) -> float:
    """Send it again and again; MB until the server ended the connection."""
    sent = 0
    while sent < limit_mb * 1_000_000:
        try:
            sock.sendall(flood)
        except ConnectionError:
            break
        sent += len(flood)
    return sent / 1e6


@pytest.fixture(params=["off", "on"])
def guarded(mosquitto: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with bridge(mosquitto.url, auth=request.param, token=TOKEN) as running:
        yield running


@pytest.mark.parametrize(
    "flood",
    [
        frames(Opcode.PING, b"x" * 125, 2000),
        frames(Opcode.PONG, b"x" * 125, 2000),
        frames(Opcode.CONT, b"", 20_000, fin=False),
    ],
    ids=["ping", "pong", "empty continuations"],
)
async def test_a_flood_of_frames_that_are_no_message_ends_the_connection_and_harms_nobody(
    guarded: Bridge, flood: bytes
):
    auth = {"token": TOKEN}
    async with client(guarded.ws, auth=auth) as other:
        begun = resident_mb(os.getpid())
        with stalled(guarded) as sock:
            sock.sendall(frames(Opcode.TEXT, b"", 1, fin=False))
            assert await asyncio.to_thread(sent_until_cut_off, sock, flood, 50) < 50
        assert resident_mb(os.getpid()) - begun < 30
        await asyncio.to_thread(
            wait_until, lambda: guarded.get("/readyz").json()["clients"] == 1, "the place to be free"
        )
        await other.say("ping", ts=5)
        await other.until("pong", ts=5)


async def fill(ws: WebSocket) -> None:
    """Write until some bytes, but less than take away the room, stay in this process for good."""
    transport = ws.scope["extensions"][direct_websocket.EXTENSION]["connection"].transport
    quiet_since = None
    while quiet_since is None or time.monotonic() - quiet_since < 0.3:
        if not transport.get_write_buffer_size():
            quiet_since = None
            transport.write(direct_websocket.text_frame("x" * 1000))
        else:
            quiet_since = quiet_since or time.monotonic()
        await asyncio.sleep(0.001)
    assert transport.get_write_buffer_size() < direct_websocket.WRITE_LIMIT


async def test_a_client_that_does_not_read_loses_its_place_soon_after_the_keepalive(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(direct_websocket, "LAST_WORDS_SECONDS", 0.2)

    async def endpoint(ws: WebSocket) -> None:
        await ws.accept()
        await fill(ws)
        with pytest.raises(WebSocketDisconnect):
            await ws.receive_text()

    app = Starlette(routes=[WebSocketRoute("/ws/v1", endpoint)])
    with serving(app, ping_seconds=1.0) as running, stalled(running):
        await asyncio.to_thread(wait_until, lambda: running.connections == 1, "the client to come")
        await asyncio.to_thread(wait_until, lambda: running.connections == 0, "the client to be cut off")


async def test_a_client_that_does_not_read_its_goodbye_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(direct_websocket, "LAST_WORDS_SECONDS", 0.2)

    async def endpoint(ws: WebSocket) -> None:
        await ws.accept()
        await fill(ws)
        await ws.close(1012)

    app = Starlette(routes=[WebSocketRoute("/ws/v1", endpoint)])
    with serving(app) as running, stalled(running):
        await asyncio.to_thread(wait_until, lambda: running.connections == 1, "the client to come")
        await asyncio.to_thread(wait_until, lambda: running.connections == 0, "the client to be cut off")


async def test_who_reads_again_is_answered_the_latest_ping():
    full = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def endpoint(ws: WebSocket) -> None:
        await ws.accept()
        connection = ws.scope["extensions"][direct_websocket.EXTENSION]["connection"]
        while connection.writable.is_set():
            connection.transport.write(direct_websocket.text_frame("x" * 10_000))
            await asyncio.sleep(0)
        loop.call_soon_threadsafe(full.set)
        with pytest.raises(WebSocketDisconnect):
            await ws.receive_text()

    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with serving(Starlette(routes=[WebSocketRoute("/ws/v1", endpoint)])) as running:
        slow.connect(("127.0.0.1", running.port))
        async with (
            asyncio.timeout(SECONDS),
            connect(running.ws, sock=slow, proxy=None, max_queue=1, max_size=None, ping_interval=None) as ws,
        ):
            await full.wait()
            answered = [await ws.ping() for _ in range(20)]
            reading = asyncio.create_task(_read(ws))
            await asyncio.gather(*answered)
            reading.cancel()


async def _read(ws: ClientConnection) -> None:
    async for _ in ws:
        pass
