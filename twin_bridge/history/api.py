"""`GET /devices/{id}/history`: what a lamp was in a stretch of time."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from shared.errors import BadRequest, NotFound
from twin_bridge.devices_api import DeviceId
from twin_bridge.history.reading import HistoryReader, Past, Place
from twin_bridge.http_access import Admit
from twin_bridge.protocol import LampState
from twin_bridge.state import DeviceTable

MAX_ITEMS = 1000
LAST_MS = 2**53 - 1
"""The latest moment that every JSON reader can tell exactly."""


class HistoryItem(BaseModel):
    """How a lamp was from `ts` on (epoch milliseconds), until the next item; `changes` counts those it stands for."""

    ts: int
    rev: int
    online: bool
    stale: bool
    removed: bool = Field(description="Taken out of the twin; `state` is its last one.")
    changes: int
    state: LampState


class HistoryPage(BaseModel):
    items: list[HistoryItem]
    next: str = Field(description="Send it as `cursor` to read on; empty at the end.")


def history_routes(table: DeviceTable, reader: HistoryReader, admit: Admit) -> APIRouter:
    """Routes for those whom `admit` lets through."""
    router = APIRouter(tags=["devices"], dependencies=[Depends(admit)])

    @router.get("/devices/{device_id}/history")
    def device_history(
        *,
        device_id: DeviceId,
        start: Annotated[int, Query(alias="from", ge=0, le=LAST_MS, description="Epoch ms.")] = 0,
        end: Annotated[int, Query(alias="to", ge=0, le=LAST_MS, description="Epoch ms; 0 is now.")] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_ITEMS)] = 200,
        step: Annotated[int, Query(ge=0, le=LAST_MS, description="Ms in which the last state counts; 0: each.")] = 0,
        cursor: Annotated[str, Query(max_length=40)] = "",
    ) -> HistoryPage:
        """Oldest first; the first item is what held at `from` already."""
        end = end or time.time_ns() // 1_000_000
        after = _place(cursor) if cursor else None
        found = reader.held(start - 1, device_id) if start and after is None else []
        wanted = limit + 1 - len(found)
        if step:
            found += reader.samples(device_id, start, end, wanted, step_ms=step, after=after)
        else:
            found += reader.states(start, end, wanted, after=after, device_id=device_id)
        if not found and device_id not in table:
            raise NotFound(f"There is no device {device_id!r} here, and none is remembered from that time.")
        items = [_item(past) for past in found[:limit]]
        return HistoryPage(items=items, next=_cursor(found[limit - 1].place) if len(found) > limit else "")

    return router


def _item(past: Past) -> HistoryItem:
    row = past.row
    return HistoryItem(
        ts=row.at_ms, rev=row.rev, online=row.online, stale=row.stale, removed=row.removed, changes=past.changes,
        state=row.state,
    )  # fmt: skip


def _cursor(place: Place) -> str:
    return f"{place.at_ms}-{place.number}"


def _place(cursor: str) -> Place:
    at_ms, _, number = cursor.partition("-")
    if not (at_ms.isdecimal() and number.isdecimal() and max(int(at_ms), int(number)) <= LAST_MS):
        raise BadRequest("This cursor is not one of ours. Send the `next` of the page before, or none.")
    return Place(int(at_ms), int(number))
