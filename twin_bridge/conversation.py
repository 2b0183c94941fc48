"""What one client says, and what it gets for it. The protocol is told in docs/twin.md."""

import asyncio
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from shared.observability.metrics import TWIN_REFUSALS, TWIN_WELCOMES
from shared.version import VERSION
from shared.web.bucket import Bucket
from twin_bridge import client_messages as said
from twin_bridge import protocol
from twin_bridge.client_messages import Refused
from twin_bridge.client_slot import ClientSlot, Goodbye
from twin_bridge.command_lane import Reply
from twin_bridge.gate import COMMAND_BURST, COMMAND_RATE, MESSAGE_BURST, MESSAGE_RATE, VIEWERS_WATCH, Gate
from twin_bridge.hub import Hub
from twin_bridge.protocol import ErrorCode, Role
from twin_bridge.relay import epoch_ms
from twin_bridge.state import DeviceTable

AUTH_SECONDS = 10.0
GRACE_SECONDS = 0.3
"""Without authentication a client may say nothing at all; it is welcomed after so long."""
CLOSE_CODES = {
    ErrorCode.BAD_MESSAGE: 4400,
    ErrorCode.UNKNOWN_TYPE: 4400,  # this one and the next only where nothing but a good `auth` will do
    ErrorCode.BAD_FIELD: 4400,
    ErrorCode.UNAUTHORIZED: 4401,
    ErrorCode.FORBIDDEN: 4403,
    ErrorCode.AUTH_TIMEOUT: 4408,
    ErrorCode.RATE: 4429,
    ErrorCode.FULL: 1013,
}


class Twin(Protocol):
    """What a client sees: the lamps as they are, or a replay of what they were."""

    replay: bool
    table: DeviceTable
    hub: Hub
    broker: bool

    def command(self, sender: str, cmd: said.Cmd, reply: Reply) -> None: ...


class Conversation:
    """What one client says, and what it gets for it."""

    def __init__(self, ws: WebSocket, slot: ClientSlot, twin: Twin, gate: Gate) -> None:
        self.welcomed = asyncio.Event()
        """Set once the client is let in."""
        self._ws, self._slot = ws, slot
        self._twin, self._gate = twin, gate
        self._messages = Bucket(MESSAGE_RATE, MESSAGE_BURST)
        self._commands = Bucket(COMMAND_RATE, COMMAND_BURST)
        self._sender = f"connection-{id(slot)}"
        self._role = gate.role("")

    async def run(self) -> None:
        """Read until the client leaves or is refused; the reason of a refusal is said before the slot closes."""
        self._slot.say(protocol.Hello(server=f"twin_bridge/{VERSION}", auth=self._gate.required, now=epoch_ms()))
        try:
            await self._greet()
            while True:
                await self._next()
        except Refused as error:
            self._complain(error)
            self._slot.close(Goodbye(CLOSE_CODES[error.code], error.detail))

    async def _greet(self) -> None:
        try:
            async with asyncio.timeout(AUTH_SECONDS if self._gate.required else GRACE_SECONDS):
                text = await self._receive()
        except TimeoutError:
            if self._gate.required:
                detail = f"No auth message came within {AUTH_SECONDS:g} s."
                raise Refused(ErrorCode.AUTH_TIMEOUT, detail, fatal=True) from None
            self._welcome(said.Auth(t="auth"))
            return
        if not self._gate.required:
            self._handle_or_complain(text)
            if self._slot.view is None:
                self._welcome(said.Auth(t="auth"))
            return
        message = said.read(text)
        if not isinstance(message, said.Auth):
            raise Refused(ErrorCode.UNAUTHORIZED, "The first message must be auth, with the token.", fatal=True)
        self._welcome(message)

    async def _next(self) -> None:
        self._handle_or_complain(await self._receive())

    async def _receive(self) -> str:
        message = await self._ws.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        if not self._messages.take():
            detail = f"More than {MESSAGE_RATE:g} messages a second are no conversation."
            raise Refused(ErrorCode.RATE, detail, fatal=True)
        text = message.get("text")
        if text is None:
            raise Refused(ErrorCode.BAD_MESSAGE, "A message is one JSON object in one text frame.", fatal=True)
        return str(text)

    def _handle_or_complain(self, text: str) -> None:
        try:
            self._handle(said.read(text))
        except Refused as error:
            if error.fatal:
                raise
            self._complain(error)

    def _complain(self, error: Refused) -> None:
        TWIN_REFUSALS.labels(error.code.value).inc()
        self._slot.say(protocol.Error(code=error.code, cid=error.cid, error=error.detail))

    def _handle(self, message: said.Auth | said.Seen | said.Cmd | said.Ping) -> None:
        match message:
            case said.Auth():
                self._welcome(message)
            case said.Seen():
                self._slot.seen(message.seq)
            case said.Ping():
                self._slot.say(protocol.Pong(ts=message.ts, now=epoch_ms(), seq=self._twin.table.seq))
            case said.Cmd():
                if self._role is not Role.OPERATOR:
                    raise Refused(ErrorCode.FORBIDDEN, VIEWERS_WATCH, cid=message.cid)
                if not self._commands.take():
                    detail = f"At most {COMMAND_RATE:g} commands a second; this one was not done."
                    raise Refused(ErrorCode.RATE, detail, cid=message.cid)
                self._twin.command(self._sender, message, self._slot.say)

    def _welcome(self, auth: said.Auth) -> None:
        """Let in, and start the snapshot. A second `auth` starts over with what it asks for."""
        self._role = self._gate.role(auth.token)
        if self._role is None:
            raise Refused(ErrorCode.UNAUTHORIZED, "This token is not the one of this bridge (TWIN__TOKEN).", fatal=True)
        if auth.client:
            self._sender = auth.client
        delta = self._twin.table.since(auth.epoch, auth.since)
        self._slot.say(
            protocol.Welcome(
                role=Role.VIEWER if self._twin.replay else self._role,
                epoch=self._twin.table.epoch,
                seq=delta.seq,
                resumed=not delta.full,
                broker=self._twin.broker,
                replay=self._twin.replay,
            )
        )
        TWIN_WELCOMES.labels("replay" if self._twin.replay else "full" if delta.full else "resumed").inc()
        self._twin.hub.watch(self._slot, auth.devices, auth.max_hz, delta)
        self.welcomed.set()
