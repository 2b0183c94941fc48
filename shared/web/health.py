"""`/livez` (the loop turns) and `/readyz` (what the service needs answers), the same shape everywhere."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from shared.errors import XgtwinError
from shared.observability.logs import get_logger

log = get_logger(__name__)

PING_SECONDS = 3.0
Ping = Callable[[], None]
"""Synchronous; returns if the part answers, raises with the reason otherwise. Runs in a thread of its own."""
Facts = Callable[[], Mapping[str, object]]
"""What an operator wants to know at a glance: modes and counts. Cheap, never raises."""


def health_routes(pings: Mapping[str, Ping], facts: Facts) -> APIRouter:
    """Routes over the parts' own pings; `/readyz` is 503 with the reasons while any of them fails."""
    router = APIRouter(tags=["health"])
    # A thread each: requests that wait fill the pool that they share, and a part that hangs is not held against others.
    threads = {name: ThreadPoolExecutor(1, thread_name_prefix=f"ping-{name}") for name in pings}

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        results = await asyncio.gather(*(_check(name, ping, threads[name]) for name, ping in pings.items()))
        checks = dict(zip(pings, results, strict=True))
        ready = all(result == "ok" for result in results)
        body = {"status": "ready" if ready else "not_ready", "checks": checks, **facts()}
        return JSONResponse(body, status_code=200 if ready else 503)

    return router


async def _check(name: str, ping: Ping, thread: Executor) -> str:
    try:
        await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(thread, ping), PING_SECONDS)
    except TimeoutError:
        return f"no answer within {PING_SECONDS:g} s"
    except XgtwinError as error:
        return error.detail
    except Exception as error:
        log.warning("ping_failed", part=name, exc_info=error)
        return f"failed: {type(error).__name__}"
    return "ok"
