"""Waiting for a broker: no longer than wanted, and not for its TCP stack."""

import asyncio
import contextlib
import socket
from typing import Any


async def within(seconds: float, event: asyncio.Event) -> None:
    """Wait for the event, but no longer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def acknowledge_now(sock: Any) -> None:
    """Have TCP confirm what came at once: a broker with Nagle's algorithm (Mosquitto, unless told otherwise) holds the
    next state, or the lamp's answer, back until then, which is 40 ms. Linux only, and to be said each time."""
    if sock is not None and hasattr(socket, "TCP_QUICKACK"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
