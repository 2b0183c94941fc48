"""Who may ask, and in whose name other services are asked."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from shared.auth.keys import Principal

Allowed = Callable[[Request], Principal]
"""Raises unless the caller holds a key that may ask, where keys are required."""
Admit = Callable[[Request], Awaitable[None]]
"""Counts a question, after its key was checked. Raises `TooManyRequests`."""


def credential_of(request: Request) -> Mapping[str, str]:
    """The header that carries the caller's key, if he sent one."""
    return {name: value for name in ("authorization", "x-api-key") if (value := request.headers.get(name))}


def key_first(allowed: Allowed) -> type[APIRoute]:
    """Routes that look at the key before the body: FastAPI answers to broken JSON before any dependency runs."""

    class KeyFirst(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def checked(request: Request) -> Response:
                await asyncio.to_thread(allowed, request)
                return await handle(request)

            return checked

    return KeyFirst
