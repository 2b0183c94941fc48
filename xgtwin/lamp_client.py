"""A client of the twin bridge's WebSocket, as small as one can be; `xgtwin lamp` uses it."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

from shared.errors import BadRequest, NotFound, Unavailable
from shared.settings import TwinSettings
from twin_bridge.protocol import SUBPROTOCOL, Ack, Device

OPEN_SECONDS = 5


@dataclass(frozen=True)
class LampChange:
    """A lamp as it is now, or with `device` None the news that it was taken out."""

    id: str
    device: Device | None


async def command(
    twin: TwinSettings,
    device: str,
    *,
    on: bool,
    bri: float | None = None,
    rgb: tuple[int, int, int] | None = None,
    ttl_ms: int = 3000,
) -> Ack:
    """Switch a lamp and wait for the last stage of its acknowledgement; without a device, the only one there is.

    Raises `Unavailable` when the bridge does not answer, `NotFound` for an unknown lamp, `BadRequest` when the bridge
    refuses the command.
    """
    state: dict[str, Any] = {"on": on}
    fields = ["on"]
    if bri is not None:
        state["bri"] = bri
        fields.append("bri")
    if rgb is not None:
        state |= dict(zip("rgb", rgb, strict=True))
        fields.append("rgb")
    async with _session(twin) as (ws, lamps):
        cid = secrets.token_hex(8)
        message = {
            "t": "cmd", "v": 1, "cid": cid, "id": _choose(device, lamps), "set": fields, "state": state,
            "trans": 0, "ttl": ttl_ms,
        }  # fmt: skip
        await ws.send(json.dumps(message))
        while True:
            answer = await _receive(ws)
            if answer["t"] == "error":
                raise BadRequest(answer["error"], code=answer["code"])
            if answer["t"] == "ack" and answer["cid"] == cid and (ack := Ack.model_validate(answer)).stage.final:
                return ack


async def watch(twin: TwinSettings) -> AsyncIterator[LampChange]:
    """Every lamp as it is, then every change, for ever. Raises `Unavailable` when the bridge goes away."""
    async with _session(twin) as (ws, lamps):
        for device in lamps:
            yield LampChange(device.id, device)
        while True:
            message = await _receive(ws)
            for each in message.get("devices", ()):
                yield LampChange(each["id"], Device.model_validate(each))
            for device_id in message.get("removed", ()):
                yield LampChange(device_id, None)


@asynccontextmanager
async def _session(twin: TwinSettings) -> AsyncIterator[tuple[ClientConnection, list[Device]]]:
    """A welcomed connection and the lamps of its snapshot."""
    url = twin.base_url.replace("http", "ws", 1) + "/ws/v1"
    try:
        # proxy=None: one meant for the internet must not stand between us and this machine
        async with connect(
            url, subprotocols=[Subprotocol(SUBPROTOCOL)], open_timeout=OPEN_SECONDS, proxy=None, max_size=None
        ) as ws:
            await ws.send(json.dumps({"t": "auth", "v": 1, "token": twin.token.get_secret_value()}))
            yield ws, await _lamps(ws)
    except ConnectionClosed as error:
        reason = error.rcvd.reason if error.rcvd else ""
        raise Unavailable(f"The twin bridge at {twin.base_url} ended the connection. {reason}".rstrip()) from error
    except (OSError, InvalidHandshake, InvalidMessage) as error:
        raise Unavailable(
            f"The twin bridge is not running at {twin.base_url}. Start everything with: make up"
        ) from error


async def _lamps(ws: ClientConnection) -> list[Device]:
    found: list[Device] = []
    while True:
        message = await _receive(ws)
        if message["t"] == "snapshot":
            found += [Device.model_validate(device) for device in message["devices"]]
            if message["part"] == message["parts"]:
                return found


async def _receive(ws: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await ws.recv())
    return message


def _choose(wanted: str, lamps: list[Device]) -> str:
    known = ", ".join(device.id for device in lamps) or "none yet"
    if wanted:
        if all(device.id != wanted for device in lamps):
            raise NotFound(f"The bridge knows no lamp {wanted!r}; the lamps are: {known}.")
        return wanted
    if len(lamps) != 1:
        raise BadRequest(f"Say which lamp: {known}.")
    return lamps[0].id
