"""uvicorn's WebSocket class, with a door for those who send the same message to many.

ASGI's `send` costs a coroutine, a turn in uvicorn and a framing for each client. An application that finds `EXTENSION`
in `scope["extensions"]` may frame a message once and write it to every connection itself; accepting, receiving, pings
and closing stay uvicorn's. Where the extension is missing (another server, another uvicorn), `send` works as ever.
"""

from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

EXTENSION = "xgtwin.direct_websocket"
WRITE_LIMIT = 16 * 1024
"""Bytes that may wait in this process for one client. Whatever waits here is no longer replaced by newer news."""
_NEEDED = ("scope", "transport", "close_sent")
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

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=WRITE_LIMIT)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)  # the application's task starts in a later turn of the loop
        if all(hasattr(self, name) for name in _NEEDED):  # there is no scope when the handshake was refused
            extensions = cast("dict[str, Any]", self.scope["extensions"])
            extensions[EXTENSION] = {"connection": self}

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.on_room:
            self.on_room()
