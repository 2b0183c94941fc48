"""Both ways of writing to a client keep the same contract, under the server as we run it."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.integration.twin.rig import SECONDS, Bridge, serving, wait_until
from twin_bridge.outlet import DirectOutlet, Frame, Outlet, TaskOutlet, outlet_of

KINDS: dict[str, type[Outlet]] = {"direct": DirectOutlet, "portable": TaskOutlet}
Talk = Callable[[WebSocket, Outlet], Awaitable[None]]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def application(kind: str, talk: Talk) -> Starlette:
    """Accepts a WebSocket and lets `talk` write to it."""

    async def endpoint(ws: WebSocket) -> None:
        await ws.accept()
        async with outlet_of(ws) as outlet:
            assert isinstance(outlet, KINDS[kind])
            await talk(ws, outlet)

    return Starlette(routes=[WebSocketRoute("/ws/v1", endpoint)])


def running(kind: str, talk: Talk) -> AbstractContextManager[Bridge]:
    return serving(application(kind, talk), direct=kind == "direct")


async def test_frames_of_every_length_arrive_whole_in_order_and_before_the_close(kind: str):
    texts = ["x" * length for length in (0, 1, 125, 126, 127, 65_535, 65_536, 100_000)] + ["à esquerda ✓"]

    async def talk(ws: WebSocket, outlet: Outlet) -> None:
        for text in texts:
            outlet.write(Frame(text))
        await outlet.written()
        await ws.close(4400, "enough")

    with running(kind, talk) as server:
        async with asyncio.timeout(SECONDS), connect(server.ws, proxy=None, max_size=None) as ws:
            assert [await ws.recv() for _ in texts] == texts
            with pytest.raises(ConnectionClosed) as closed:
                await ws.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400


async def test_a_client_that_does_not_read_takes_away_the_room_and_reading_gives_it_back(kind: str):
    full = threading.Event()

    async def talk(ws: WebSocket, outlet: Outlet) -> None:
        room = asyncio.Event()
        outlet.on_room = room.set
        frame = Frame("x" * 10_000)
        written = 0
        while written < 1000:
            while outlet.has_room and written < 1000:
                outlet.write(frame)
                written += 1
            room.clear()
            try:
                async with asyncio.timeout(0.2):
                    await room.wait()
            except TimeoutError:
                if not outlet.has_room:
                    break
        full.set()
        async with asyncio.timeout(SECONDS):
            while not outlet.has_room:  # as the hub does: on_room, and a look from time to time
                await asyncio.wait({asyncio.create_task(room.wait())}, timeout=0.005)
        outlet.write(Frame("room"))
        with pytest.raises(WebSocketDisconnect):
            await ws.receive_text()

    with running(kind, talk) as server:
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        stalled.connect(("127.0.0.1", server.port))
        async with connect(server.ws, sock=stalled, proxy=None, max_queue=1, max_size=None) as ws:
            await asyncio.to_thread(wait_until, full.is_set, "the room to end")
            async with asyncio.timeout(SECONDS):
                while await ws.recv() != "room":
                    pass


async def test_writing_to_a_client_that_left_harms_nothing(kind: str):
    ended = threading.Event()

    async def talk(ws: WebSocket, outlet: Outlet) -> None:
        with pytest.raises(WebSocketDisconnect):
            await ws.receive_text()
        for _ in range(20):
            outlet.write(Frame("too late"))
            await asyncio.sleep(0)
        ended.set()

    with running(kind, talk) as server:
        async with connect(server.ws, proxy=None):
            pass
        await asyncio.to_thread(wait_until, ended.is_set, "the writer")


async def test_an_aborted_client_is_gone_whatever_was_unsent(kind: str):
    async def talk(ws: WebSocket, outlet: Outlet) -> None:
        outlet.write(Frame("x" * 1_000_000))
        outlet.abort()

    with running(kind, talk) as server:
        async with asyncio.timeout(SECONDS), connect(server.ws, proxy=None, max_size=None) as ws:
            with pytest.raises(ConnectionClosed):
                _ = [message async for message in ws] + [await ws.recv()]
