"""One WebSocket client from handshake to goodbye. The protocol is told in docs/twin.md.

Reading (`Conversation`) and writing (`ClientSlot`, `Outlet`) never wait for each other, and no client for another one.
"""

import asyncio

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from shared.observability.logs import get_logger
from shared.observability.metrics import TWIN_GOODBYES, TWIN_REFUSALS
from twin_bridge.client_messages import Refused
from twin_bridge.client_slot import ClientSlot, Goodbye
from twin_bridge.conversation import CLOSE_CODES, Conversation
from twin_bridge.gate import Gate
from twin_bridge.history.replay import Replays
from twin_bridge.hub import HubFull
from twin_bridge.outlet import Outlet, outlet_of
from twin_bridge.protocol import SUBPROTOCOL, Error, ErrorCode
from twin_bridge.relay import Relay, epoch_ms

log = get_logger(__name__)

GOODBYE_SECONDS = 5.0
"""A client that does not take the last words within this time is cut off."""


async def serve_client(ws: WebSocket, relay: Relay, gate: Gate, replays: Replays) -> None:
    """Talk with a client until either side ends it. A refused client is accepted first, or it could not read why."""
    offered = ws.scope.get("subprotocols", [])
    spoken = SUBPROTOCOL in offered
    await ws.accept(subprotocol=SUBPROTOCOL if spoken else None)
    address = ws.client.host if ws.client else ""
    try:
        if not gate.allows_origin(ws.headers.get("origin"), ws.headers.get("host", "")):
            detail = "Pages of this origin may not connect. The operator can add it to TWIN__ALLOWED_ORIGINS."
            raise Refused(ErrorCode.FORBIDDEN, detail, fatal=True)
        if offered and not spoken:  # such as an MQTT client that takes us for the broker
            detail = f"This bridge speaks the subprotocol {SUBPROTOCOL}, which the client did not offer."
            raise Refused(ErrorCode.BAD_MESSAGE, detail, fatal=True)
        async with outlet_of(ws) as outlet:
            if (asked := ws.query_params.get("replay")) is not None:
                replay = replays.prepare(asked, now_ms=epoch_ms(), broker=relay.broker)
                with relay.hub.admit(address), replay.hub.slot(outlet) as slot:
                    conversation = Conversation(ws, slot, replay, gate)
                    async with replays.performed(replay, slot, conversation.welcomed):
                        await _talk(ws, slot, conversation)
            else:
                with relay.hub.join(address, outlet) as slot:
                    await _talk(ws, slot, Conversation(ws, slot, relay, gate))
    except HubFull as error:
        await _turn_away(ws, Refused(ErrorCode.FULL, str(error), fatal=True))
    except Refused as error:
        await _turn_away(ws, error)
    except WebSocketDisconnect:
        log.debug("client_left_in_between")


async def _turn_away(ws: WebSocket, error: Refused) -> None:
    TWIN_REFUSALS.labels(error.code.value).inc()
    await ws.send_text(Error(code=error.code, error=error.detail).model_dump_json())
    await _close(ws, Goodbye(CLOSE_CODES[error.code], error.detail))


async def _talk(ws: WebSocket, slot: ClientSlot, conversation: Conversation) -> None:
    reader = asyncio.create_task(conversation.run())
    try:
        await asyncio.wait({reader, slot.over}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        reader.cancel()
        (result,) = await asyncio.gather(reader, return_exceptions=True)
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            log.error("client_failed", exc_info=result)
            slot.close(Goodbye(1011, "an error of the bridge"))
    if slot.goodbye and ws.client_state is WebSocketState.CONNECTED:
        await _part(ws, slot, slot.goodbye, slot.outlet)


async def _part(ws: WebSocket, slot: ClientSlot, goodbye: Goodbye, outlet: Outlet) -> None:
    """The answers that wait go out before the close; a client that does not read them is cut off."""
    try:
        async with asyncio.timeout(GOODBYE_SECONDS):
            await slot.over
            await outlet.written()
            await _close(ws, goodbye)
    except TimeoutError:
        log.info("client_cut_off", code=goodbye.code)
        outlet.abort()


async def _close(ws: WebSocket, goodbye: Goodbye) -> None:
    TWIN_GOODBYES.labels(str(goodbye.code)).inc()
    log.info("client_sent_away", code=goodbye.code, reason=goodbye.reason)
    await ws.close(goodbye.code, goodbye.reason[:120])
