"""What a broker may do to the event loop that reads from it: nothing."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from twin_bridge.inbox import Incoming
from twin_bridge.mqtt import MqttLink

CONNACK = b"\x20\x02\0\0"
STATE = b"\x30\x0b\0\x08lamp/one1"
RESERVED = b"\xf0\0"
"""A packet of a kind that MQTT does not have."""


class Heard:
    """A listener that keeps what it was told."""

    def __init__(self) -> None:
        self.messages = asyncio.Event()
        self.connections: asyncio.Queue[bool] = asyncio.Queue()

    def on_messages(self, batch: Sequence[Incoming]) -> None:
        self.messages.set()

    def on_broker(self, connected: bool, reason: str) -> None:
        self.connections.put_nowait(connected)


@contextmanager
def broker(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that accepts one bridge and then does as `talk`, in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(ConnectionError):  # the bridge may leave first
                connection.recv(1000)
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"mqtt://127.0.0.1:{server.getsockname()[1]}"
        finally:
            thread.join(10)
            assert not thread.is_alive()


async def test_a_flood_without_end_leaves_the_loop_its_turns():
    over = threading.Event()

    def flood(connection: socket.socket) -> None:
        connection.sendall(CONNACK)
        while not over.is_set():
            connection.sendall(STATE * 5003)  # no read ends where a packet ends

    with broker(flood) as url:
        link, heard = MqttLink(url, "name", ()), Heard()
        link.start(heard)
        try:
            for _ in range(5):
                async with asyncio.timeout(20):
                    await heard.messages.wait()
                heard.messages.clear()
        finally:
            over.set()
            await link.stop()


async def test_a_broker_that_speaks_wrongly_is_left_and_nothing_it_said_after_that_is_read():
    def babble(connection: socket.socket) -> None:
        connection.sendall(CONNACK + RESERVED + STATE * 2000)
        connection.recv(1000)

    with broker(babble) as url:
        link, heard = MqttLink(url, "name", ()), Heard()
        link.start(heard)
        try:
            async with asyncio.timeout(20):
                assert await heard.connections.get()
                assert not await heard.connections.get()
        finally:
            await link.stop()
        assert not heard.messages.is_set()
