"""One WebSocket client from handshake to goodbye. The protocol is told in docs/twin.md.

A connection is two tasks: the reader (`_Conversation`) understands messages, the writer sends what the client's slot
holds. Neither waits for the other, and no client waits for another one.
"""

import asyncio

from starlette.websockets import WebSocket, WebSocketDisconnect

from shared.observability.logs import get_logger
from shared.observability.metrics import TWIN_GOODBYES
from shared.version import VERSION
from twin_bridge import client_messages as said
from twin_bridge import protocol
from twin_bridge.client_messages import Refused
from twin_bridge.client_slot import ClientSlot, Goodbye
from twin_bridge.gate import COMMAND_BURST, COMMAND_RATE, MESSAGE_BURST, MESSAGE_RATE, VIEWERS_WATCH, Bucket, Gate
from twin_bridge.hub import Hub, HubFull
from twin_bridge.protocol import ErrorCode, Role
from twin_bridge.relay import Relay, epoch_ms

log = get_logger(__name__)

AUTH_SECONDS = 10.0
GRACE_SECONDS = 0.3
"""Without authentication a client may say nothing at all; it is welcomed after so long."""
SEND_SECONDS = 30.0
"""A client whose buffers stay full for so long is gone, whatever TCP says."""
GOODBYE_SECONDS = 5.0
_CLOSE_CODES = {
    ErrorCode.BAD_MESSAGE: 4400,
    ErrorCode.UNAUTHORIZED: 4401,
    ErrorCode.FORBIDDEN: 4403,
    ErrorCode.AUTH_TIMEOUT: 4408,
    ErrorCode.RATE: 4429,
    ErrorCode.FULL: 1013,
}


async def serve_client(ws: WebSocket, relay: Relay, hub: Hub, gate: Gate) -> None:
    """Talk with a client until either side ends it. A refused client is accepted first, or it could not read why."""
    offered = ws.scope.get("subprotocols", [])
    spoken = protocol.SUBPROTOCOL in offered
    await ws.accept(subprotocol=protocol.SUBPROTOCOL if spoken else None)
    address = ws.client.host if ws.client else ""
    try:
        if not gate.allows_origin(ws.headers.get("origin"), ws.headers.get("host", "")):
            detail = "Pages of this origin may not connect. The operator can add it to TWIN__ALLOWED_ORIGINS."
            raise Refused(ErrorCode.FORBIDDEN, detail, fatal=True)
        if offered and not spoken:  # such as an MQTT client that takes us for the broker
            detail = f"This bridge speaks the subprotocol {protocol.SUBPROTOCOL}, which the client did not offer."
            raise Refused(ErrorCode.BAD_MESSAGE, detail, fatal=True)
        with hub.join(address) as slot:
            await _talk(ws, slot, _Conversation(ws, slot, relay, gate))
    except HubFull as error:
        await _turn_away(ws, Refused(ErrorCode.FULL, str(error), fatal=True))
    except Refused as error:
        await _turn_away(ws, error)
    except WebSocketDisconnect:
        log.debug("client_left_in_between")


async def _turn_away(ws: WebSocket, error: Refused) -> None:
    code = _CLOSE_CODES[error.code]
    _count(code, error.detail)
    await ws.send_text(protocol.Error(code=error.code, error=error.detail).model_dump_json())
    await ws.close(code, error.detail[:120])


async def _talk(ws: WebSocket, slot: ClientSlot, conversation: "_Conversation") -> None:
    reader = asyncio.create_task(conversation.run())
    writer = asyncio.create_task(_write(ws, slot))
    try:
        await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
        if reader.done() and slot.goodbye and not writer.done():
            await asyncio.wait({writer}, timeout=GOODBYE_SECONDS)  # the reason goes out before the end
    finally:
        for task in (reader, writer):
            task.cancel()
        for result in await asyncio.gather(reader, writer, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                log.error("client_failed", exc_info=result)
                slot.close(Goodbye(1011, "an error of the bridge"))
    if slot.goodbye and ws.client_state.name == "CONNECTED":
        _count(slot.goodbye.code, slot.goodbye.reason)
        async with asyncio.timeout(GOODBYE_SECONDS):
            await ws.close(slot.goodbye.code, slot.goodbye.reason[:120])


async def _write(ws: WebSocket, slot: ClientSlot) -> None:
    while (frame := await slot.next_frame()) is not None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await ws.send_text(frame)
        except TimeoutError:
            slot.close(Goodbye(1013, f"nothing was read for {SEND_SECONDS:g} s"))
            return


def _count(code: int, reason: str) -> None:
    TWIN_GOODBYES.labels(str(code)).inc()
    log.info("client_sent_away", code=code, reason=reason)


class _Conversation:
    """What one client says, and what it gets for it."""

    def __init__(self, ws: WebSocket, slot: ClientSlot, relay: Relay, gate: Gate) -> None:
        self._ws = ws
        self._slot = slot
        self._relay = relay
        self._gate = gate
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
            self._slot.say(protocol.Error(code=error.code, cid=error.cid, error=error.detail))
            self._slot.close(Goodbye(_CLOSE_CODES[error.code], error.detail))

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
            if not self._slot.welcomed:
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
            self._slot.say(protocol.Error(code=error.code, cid=error.cid, error=error.detail))

    def _handle(self, message: said.Auth | said.Seen | said.Cmd | said.Ping) -> None:
        match message:
            case said.Auth():
                self._welcome(message)
            case said.Seen():
                self._slot.seen(message.seq)
            case said.Ping():
                self._slot.say(protocol.Pong(ts=message.ts, now=epoch_ms(), seq=self._relay.table.seq))
            case said.Cmd():
                if self._role is not Role.OPERATOR:
                    raise Refused(ErrorCode.FORBIDDEN, VIEWERS_WATCH, cid=message.cid)
                if not self._commands.take():
                    detail = f"At most {COMMAND_RATE:g} commands a second; this one was not done."
                    raise Refused(ErrorCode.RATE, detail, cid=message.cid)
                self._relay.command(self._sender, message, self._slot.say)

    def _welcome(self, auth: said.Auth) -> None:
        """Let in, and start the snapshot. A second `auth` starts over with what it asks for."""
        self._role = self._gate.role(auth.token)
        if self._role is None:
            raise Refused(ErrorCode.UNAUTHORIZED, "This token is not the one of this bridge (TWIN__TOKEN).", fatal=True)
        if auth.client:
            self._sender = auth.client
        delta = self._relay.table.since(auth.epoch, auth.since)
        self._slot.want(auth.devices, auth.max_hz)
        self._slot.say(
            protocol.Welcome(
                role=self._role,
                epoch=self._relay.table.epoch,
                seq=delta.seq,
                resumed=not delta.full,
                broker=self._relay.broker,
            )
        )
        self._slot.start(delta)  # in the same turn of the loop as `since`, so no change can fall in between
