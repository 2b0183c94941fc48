"""`GET /td/{id}`: a lamp as a W3C Thing Description 1.1, for tools that know things and not this bridge."""

from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from shared.errors import NotFound
from shared.settings import TwinSettings
from twin_bridge.devices_api import DeviceId
from twin_bridge.http_access import Admit
from twin_bridge.lamps.protocol import Limits
from twin_bridge.protocol import SUBPROTOCOL, Cap, Device, Stage
from twin_bridge.state import DeviceTable

CONTEXT = "https://www.w3.org/2022/wot/td/v1.1"
MEDIA_TYPE = "application/td+json"

Json = dict[str, Any]

_WHOLE_NUMBER = {"type": "integer", "minimum": 0}


def thing_routes(table: DeviceTable, admit: Admit, twin: TwinSettings, *, token_required: bool) -> APIRouter:
    """Routes for those whom `admit` lets through."""
    router = APIRouter(tags=["devices"], dependencies=[Depends(admit)])

    @router.get("/td/{device_id}", response_class=JSONResponse)
    async def thing(device_id: DeviceId, request: Request) -> JSONResponse:
        """The Thing Description of a lamp; `TWIN__URL` is its base where others reach the bridge by another address."""
        device = table.get(device_id)
        if device is None:
            raise NotFound(f"There is no device {device_id!r} here. GET /devices lists them.")
        base = (twin.url or str(request.base_url)).rstrip("/") + "/"
        description = describe(device, table.limits(device_id), base, bridge=twin.name, token_required=token_required)
        return JSONResponse(description, media_type=MEDIA_TYPE)

    return router


def describe(device: Device, limits: Limits, base: str, *, bridge: str, token_required: bool) -> Json:
    """The Thing Description; `base` is the bridge's address with a slash at its end."""
    path = f"devices/{quote(device.id)}"
    security: Json = {"scheme": "bearer", "in": "header"} if token_required else {"scheme": "nosec"}
    return {
        "@context": CONTEXT,
        "@type": "Thing",
        "id": f"urn:uuid:{uuid5(NAMESPACE_URL, f'xgtwin/{bridge}/{device.id}')}",
        "title": device.name,
        "base": base,
        "securityDefinitions": {"access": security},
        "security": "access",
        "properties": {"device": _device(device, limits, path, base), "history": _history(device, limits, path)},
        "actions": {"set": _set(device, limits, path)},
    }


def _device(device: Device, limits: Limits, path: str, base: str) -> Json:
    flags = {
        "online": "Not announced as offline.",
        "stale": "The state may be old.",
        "known": "It has reported a state; before, the state means nothing.",
        "pending": "A command is under way.",
    }
    websocket = "ws" + base.removeprefix("http") + "ws/v1"
    return {
        "title": "The lamp as it reported itself last",
        "type": "object",
        "readOnly": True,
        "observable": True,
        "properties": {
            **{name: {"type": "boolean", "description": text} for name, text in flags.items()},
            "rev": {**_WHOLE_NUMBER, "description": "Grows with every change."},
            "ts": {**_WHOLE_NUMBER, "unit": "ms", "description": "Since 1970, when the state was received."},
            "state": _state(device, limits),
        },
        "forms": [
            {"href": path, "op": "readproperty", "contentType": "application/json"},
            {
                "href": websocket,
                "op": ["observeproperty", "unobserveproperty"],
                "contentType": "application/json",
                "subprotocol": SUBPROTOCOL,
            },
        ],
    }


def _history(device: Device, limits: Limits, path: str) -> Json:
    item = {
        "type": "object",
        "properties": {
            "ts": {**_WHOLE_NUMBER, "unit": "ms"},
            "online": {"type": "boolean"},
            "stale": {"type": "boolean"},
            "changes": _WHOLE_NUMBER,
            "state": _state(device, limits),
        },
    }
    return {
        "title": "What the lamp was, oldest first",
        "type": "object",
        "readOnly": True,
        "properties": {"items": {"type": "array", "items": item}, "next": {"type": "string"}},
        "uriVariables": {
            **{name: {**_WHOLE_NUMBER, "unit": "ms"} for name in ("from", "to", "step")},
            "limit": {"type": "integer", "minimum": 1},
            "cursor": {"type": "string"},
        },
        "forms": [{"href": f"{path}/history{{?from,to,step,limit,cursor}}", "op": "readproperty"}],
    }


def _set(device: Device, limits: Limits, path: str) -> Json:
    return {
        "title": "Switch the lamp and wait until it reports so",
        "safe": False,
        "idempotent": True,
        "synchronous": True,
        "input": {
            "type": "object",
            "required": ["state"],
            "properties": {
                "state": _state(device, limits),
                "trans": {"type": "number", "minimum": 0, "maximum": 60, "unit": "s", "description": "Transition."},
                "ttl": {"type": "integer", "minimum": 0, "maximum": 60_000, "unit": "ms"},
            },
        },
        "output": {"type": "object", "properties": {"stage": {"type": "string", "enum": [Stage.APPLIED.value]}}},
        "forms": [{"href": f"{path}/set", "op": "invokeaction", "contentType": "application/json"}],
    }


def _state(device: Device, limits: Limits) -> Json:
    """Only what this lamp can do, within what it accepts."""
    channel = {"type": "integer", "minimum": 0, "maximum": 255}
    warmest, coldest = limits.kelvin
    effect: Json = {"type": "string"}
    if limits.effects:
        effect["enum"] = ["", *limits.effects]
    fields: dict[Cap, Json] = {
        Cap.ON: {"on": {"type": "boolean"}},
        Cap.BRI: {"bri": {"type": "number", "minimum": 0, "maximum": 1}},
        Cap.RGB: {"r": channel, "g": channel, "b": channel},
        Cap.CT: {"ct": {"type": "integer", "minimum": warmest, "maximum": coldest, "unit": "K"}},
        Cap.EFFECT: {"effect": effect},
    }
    return {
        "type": "object",
        "properties": {name: schema for cap in device.caps for name, schema in fields[cap].items()},
    }
