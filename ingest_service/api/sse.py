"""The progress of a job as server-sent events: `progress` on each change, `end` with the job as it ended."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from sse_starlette import EventSourceResponse, ServerSentEvent

from ingest_service.api.schemas import JobView
from ingest_service.tables import ENDED

LOOK_S = 0.25
HEARTBEAT_S = 10
LONGEST_S = 3600.0
"""A stream that lasts longer is ended; the client opens it again and misses nothing."""


def job_events(look: Callable[[], JobView]) -> EventSourceResponse:
    """A stream that ends with the job. `look` reads the job; it is called in a worker thread."""
    return EventSourceResponse(_events(look), ping=HEARTBEAT_S, headers={"X-Accel-Buffering": "no"})


async def _events(look: Callable[[], JobView]) -> AsyncIterator[ServerSentEvent]:
    last: JobView | None = None
    number = 0
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        job = await asyncio.to_thread(look)
        ended = job.state in ENDED
        if job != last:
            number += 1
            yield ServerSentEvent(job.model_dump_json(), event="end" if ended else "progress", id=str(number))
            last = job
        if ended:
            return
        await asyncio.sleep(LOOK_S)
