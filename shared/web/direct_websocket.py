"""uvicorn's WebSocket class, with a door for those who send the same message to many.

ASGI's `send` costs a coroutine, a turn in uvicorn and a framing for each client. An application that finds `EXTENSION`
in `scope["extensions"]` may frame a message once and write it to every connection itself; accepting, receiving, pings
and closing stay uvicorn's, but for two things: a client cannot make us keep what it does not read, nor keep its place
by not reading. Where the extension is missing (another server, another uvicorn), `send` works as ever.
"""

import asyncio
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

from shared.observability.logs import get_logger
from shared.web.bucket import Bucket

log = get_logger(__name__)

EXTENSION = "xgtwin.direct_websocket"
WRITE_LIMIT = 16 * 1024
"""Bytes that may wait in this process for one client. Whatever waits here is no longer replaced by newer news."""
EXTRA_RATE, EXTRA_BURST = 200.0, 400
"""Frames that are no message of their own: pings, pongs, continuations. Nobody needs ten a second."""
LAST_WORDS_SECONDS = 10.0
"""A client that does not take what is unsent at its end within this time is cut off."""
_NEEDED = ("scope", "transport", "close_sent", "conn", "writable")
"""What we use of uvicorn's class; if a version lacks one of them, the extension is not offered."""


def text_frame(text: str) -> bytes:
    """A server's WebSocket frame: unmasked, whole, not compressed."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class DirectWebSocket(WebSocketsSansIOProtocol):
    """One connection; offered to the application as `scope["extensions"][EXTENSION]["connection"]`.

    Between accept and close the application may write frames made by `text_frame` to its `transport`, as long as that
    is not closing and `close_sent` is false. A write never waits: see first that less than `WRITE_LIMIT` bytes do.
    """

    on_room: Callable[[], None] | None = None
    """Called when the client has read so much that there is room again. A write that leaves at once does not call it,
    so whoever waits for room looks from time to time as well."""

    _pong = b""
    """What to answer once the client reads again."""
    _last_words: asyncio.TimerHandle | None = None
    _lost = False

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=WRITE_LIMIT)
        self._extra = Bucket(EXTRA_RATE, EXTRA_BURST)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lost = True
        if self._last_words:
            self._last_words.cancel()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)  # the application's task starts in a later turn of the loop
        if all(hasattr(self, name) for name in _NEEDED):  # there is no scope when the handshake was refused
            extensions = cast("dict[str, Any]", self.scope["extensions"])
            extensions[EXTENSION] = {"connection": self}

    def handle_ping(self) -> None:
        if not self._bears_with_it():
            return
        if self.writable.is_set():
            super().handle_ping()
        elif pong := b"".join(self.conn.data_to_send()):
            self._pong = pong  # RFC 6455, 5.5.3: of several pings the latest may be answered alone

    def handle_pong(self, event: Frame) -> None:
        if self._bears_with_it():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        if self._bears_with_it():  # empty ones count nothing towards the size of their message
            super().handle_cont(event)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._end_soon()

    def on_task_complete(self, task: "asyncio.Task[None]") -> None:
        super().on_task_complete(task)
        self._end_soon()

    def _bears_with_it(self) -> bool:
        if not self.transport.is_closing() and not self._extra.take():
            self._cut_off(f"more than {EXTRA_RATE:g} pings, pongs or continuations a second")
        return not self.transport.is_closing()

    def _cut_off(self, reason: str) -> None:
        if not self.transport.is_closing():
            log.info("websocket_cut_off", reason=reason)
        self.transport.abort()

    def _end_soon(self) -> None:
        # uvicorn closes the transport, which first waits for all to be read: by a client that reads nothing, for ever.
        if not self._lost and self._last_words is None:
            self._last_words = self.loop.call_later(LAST_WORDS_SECONDS, self._cut_off, "its end was not read")

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._pong:
            pong, self._pong = self._pong, b""
            self.transport.write(pong)
        if self.on_room:
            self.on_room()
