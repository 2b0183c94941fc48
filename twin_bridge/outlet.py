"""Where a client's frames go. Two ways with the same contract, chosen by what the server offers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from shared.observability.logs import get_logger
from shared.web.direct_websocket import EXTENSION, WRITE_LIMIT, DirectWebSocket, text_frame

log = get_logger(__name__)


@dataclass(frozen=True)
class Frame:
    """A message as it goes out; made once, whoever gets it."""

    text: str

    @cached_property
    def wire(self) -> bytes:
        return text_frame(self.text)


class Outlet(Protocol):
    """The way to one client. Frames arrive whole and in order, or the connection ends."""

    on_room: Callable[[], None]
    """Called when `has_room` may be true again; without promise, so look from time to time."""

    @property
    def has_room(self) -> bool:
        """Whether the client takes more. If not, keep what there is, and replace it by what is newer."""
        ...

    def write(self, frame: Frame) -> None:
        """Send; never waits, and is never refused: `has_room` is for the caller to respect."""
        ...

    async def written(self) -> None:
        """Return when everything has been handed to the server, so that a close comes after it."""
        ...

    def abort(self) -> None:
        """End the connection, whatever is still unsent."""
        ...


@asynccontextmanager
async def outlet_of(ws: WebSocket) -> AsyncIterator[Outlet]:
    """The way to the client of an accepted WebSocket: written directly, if the server lets us."""
    offered = ws.scope.get("extensions", {}).get(EXTENSION)
    if offered is not None:
        yield DirectOutlet(offered["connection"])
        return
    outlet = TaskOutlet(ws)
    task = asyncio.create_task(outlet.run())
    try:
        yield outlet
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class DirectOutlet:
    """Frames that many clients share are written to each transport as they are."""

    def __init__(self, connection: DirectWebSocket) -> None:
        self._connection, self._transport = connection, connection.transport
        connection.on_room = self._room
        self.on_room: Callable[[], None] = _nobody

    @property
    def has_room(self) -> bool:
        return self._transport.get_write_buffer_size() < WRITE_LIMIT

    def write(self, frame: Frame) -> None:
        if not self._connection.close_sent and not self._transport.is_closing():
            self._transport.write(frame.wire)

    async def written(self) -> None:
        """The transport keeps the order; there is nothing to wait for."""

    def abort(self) -> None:
        self._transport.abort()

    def _room(self) -> None:
        self.on_room()


class TaskOutlet:
    """A task per client that sends one frame after the other, by any ASGI server."""

    def __init__(self, ws: WebSocket) -> None:
        self._ws = ws
        self._frames: deque[Frame] = deque()
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.on_room: Callable[[], None] = _nobody

    @property
    def has_room(self) -> bool:
        return not self._frames

    def write(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._empty.clear()
        self._wake.set()

    async def written(self) -> None:
        await self._empty.wait()

    def abort(self) -> None:
        """ASGI has no word for it; the server ends the connection when the application returns."""

    async def run(self) -> None:
        """Send until cancelled, or until the client is gone, which its reader hears as well."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._frames:
                    await self._ws.send_text(self._frames[0].text)
                    self._frames.popleft()
                self._empty.set()
                self.on_room()
        except (WebSocketDisconnect, RuntimeError) as error:  # starlette's word for sending after the end
            log.debug("client_gone_while_sending", reason=str(error))


def _nobody() -> None:
    """Nobody waits for room yet."""
