"""The lamps over plain HTTP, for those who cannot keep a WebSocket open."""

import asyncio
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from shared.errors import BadRequest, Conflict, NotFound, TooManyRequests, Unavailable
from shared.web.bucket import Bucket
from twin_bridge import client_messages
from twin_bridge.client_messages import Cmd, Refused, Wish
from twin_bridge.gate import COMMAND_BURST, COMMAND_RATE
from twin_bridge.http_access import Admit
from twin_bridge.protocol import Ack, Cap, Device, ErrorCode, Stage
from twin_bridge.relay import Relay

DeviceId = Annotated[str, Path(max_length=64)]


class DeviceList(BaseModel):
    items: list[Device]
    epoch: str
    seq: int


class SetRequest(BaseModel):
    """A command. `set` names the fields of `state` that count; without it, those that are written do."""

    model_config = ConfigDict(populate_by_name=True)

    mask: list[Cap] = Field(default=[], alias="set", max_length=8)
    state: Wish
    cid: str = Field(
        "", pattern=r"^[A-Za-z0-9._:-]{0,64}$", description="Makes a repeated request one command, for two minutes."
    )
    trans: float = Field(0.0, ge=0, le=60, description="Seconds of transition.")
    ttl: int = Field(
        0, ge=0, le=60_000, description="Milliseconds the lamp has to report; 0 means 3000 beyond the transition."
    )

    def fields(self) -> list[Cap]:
        if self.mask:
            return self.mask
        written = self.state.model_fields_set
        return [cap for cap in Cap if (cap.value in written if cap is not Cap.RGB else written & {"r", "g", "b"})]


def device_routes(relay: Relay, admit: Admit) -> APIRouter:
    """Routes for those whom `admit` lets through."""
    commands = Bucket(COMMAND_RATE, COMMAND_BURST)  # one for all HTTP callers: it protects the lamps
    router = APIRouter(tags=["devices"], dependencies=[Depends(admit)])

    @router.get("/devices")
    async def list_devices() -> DeviceList:
        return DeviceList(items=relay.table.devices(), epoch=relay.table.epoch, seq=relay.table.seq)

    @router.get("/devices/{device_id}")
    async def get_device(device_id: DeviceId) -> Device:
        device = relay.table.get(device_id)
        if device is None:
            raise NotFound(f"There is no device {device_id!r} here. GET /devices lists them.")
        return device

    @router.post("/devices/{device_id}/set")
    async def set_device(device_id: DeviceId, request: SetRequest) -> Ack:
        """Switch a lamp and wait until it reports so: 200 `applied`. Problems have the final stage as their code."""
        if not commands.take():
            raise TooManyRequests(f"At most {COMMAND_RATE:g} commands a second.", retry_after=1)
        cmd = Cmd(
            t="cmd",
            cid=request.cid or secrets.token_hex(8),
            id=device_id,
            mask=request.fields(),
            state=request.state,
            trans=request.trans,
            ttl=request.ttl,
        )
        return _verdict(await _final(relay, cmd))

    @router.get("/protocol.json")
    async def protocol_schema() -> dict[str, object]:
        """JSON Schema of the WebSocket protocol."""
        return client_messages.schema()

    return router


async def _final(relay: Relay, cmd: Cmd) -> Ack:
    done: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()

    def reply(ack: Ack) -> None:
        if ack.stage.final and not done.done():
            done.set_result(ack)

    try:
        relay.command("http", cmd, reply)
    except Refused as error:
        if error.code is ErrorCode.UNKNOWN_DEVICE:
            raise NotFound(error.detail) from error
        raise BadRequest(error.detail, code=error.code.value) from error
    return await done


def _verdict(ack: Ack) -> Ack:
    if ack.stage is Stage.APPLIED:
        return ack
    if ack.stage is Stage.SUPERSEDED:
        raise Conflict(
            "A newer command for the same fields, or an off, came before the lamp reported.", code=ack.stage.value
        )
    raise Unavailable(ack.error, code=ack.stage.value)
