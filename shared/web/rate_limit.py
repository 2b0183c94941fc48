"""How often one caller may ask: refused with 429, when to come back, and `RateLimit` headers on every answer.

The headers list every limit that was counted (draft-ietf-httpapi-ratelimit-headers-10), so the one that binds is among
them; one that refuses stands alone.

Callers are told apart by their keys, and by their addresses where no keys are wanted. The budget is counted in Redis
for all replicas together, or in this process: without Redis, and while it is away.
"""

import hashlib
import math
import time
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from limits import RateLimitItem, WindowStats, parse_many
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.auth.guard import offered_key
from shared.errors import TooManyRequests, Unavailable
from shared.observability.metrics import RATE_LIMITED

if TYPE_CHECKING:
    from shared.redis_link import RedisLink

Counted = tuple[bool, list[tuple[RateLimitItem, WindowStats]]]
"""Whether a request is admitted, and the state of every limit that counted it, or of the one that refuses it."""

_HEADERS = "rate_limit_headers"
_NEIGHBOURS = 64
"""Bits of an IPv6 address that tell callers apart: the others each caller chooses freely."""


class RateLimit:
    """The budget of each caller of one service. `limits` reads "60/minute" or "10/second; 500/hour"; empty admits all.

    Raises `Unavailable` if it reads otherwise.
    """

    def __init__(self, limits: str, *, service: str, keys_required: bool, link: "RedisLink | None") -> None:
        self._service, self._by_key, self._link = service, keys_required, link
        self._setting = f"{service.upper()}__RATE_LIMIT"
        try:
            self._limits = sorted(parse_many(limits), key=RateLimitItem.get_expiry) if limits.strip() else []
        except ValueError as error:
            raise Unavailable(
                f'{self._setting} is "{limits}"; write it like "60/minute" or "5/second; 500/hour".'
            ) from error
        self._policy = ", ".join(f"{self._name(one)};q={one.amount};w={one.get_expiry()}" for one in self._limits)
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._shared = MovingWindowRateLimiter(_storage(link)) if link is not None else None

    async def admit(self, request: Request) -> None:
        """Count a request whose key has been checked. Raises `TooManyRequests`, which is not counted."""
        if not self._limits:
            return
        admitted, windows = await self._count(self._caller(request))
        told: list[str] = []
        for limit, window in windows:
            seconds = max(1, math.ceil(window.reset_time - time.time()))
            told.append(f"{self._name(limit)};r={max(0, window.remaining)};t={seconds}")
        request.scope["state"][_HEADERS] = {"RateLimit-Policy": self._policy, "RateLimit": ", ".join(told)}
        if not admitted:
            RATE_LIMITED.labels(self._service).inc()
            raise TooManyRequests(
                f"This service takes {limit} from each caller ({self._setting}). Ask again in {seconds} s.",
                retry_after=seconds,
            )

    def _name(self, limit: RateLimitItem) -> str:
        """What a limit is called in both headers, so that each of several finds its state."""
        return f'"{self._service}-{limit.get_expiry()}s"'

    async def _count(self, caller: str) -> Counted:
        if self._shared is not None and self._link is not None:
            shared = self._shared
            try:
                return await self._link.ask(lambda _: _hit(shared, self._limits, caller))
            except Unavailable:  # the link has said so; each replica counts for itself meanwhile
                pass
        return await _hit(self._here, self._limits, caller)

    def _caller(self, request: Request) -> str:
        if self._by_key:
            return f"{self._service}:key:{hashlib.sha256(offered_key(request).encode()).hexdigest()[:32]}"
        return f"{self._service}:address:{_address(request.client.host if request.client else '')}"


class RateLimitHeaders:
    """Middleware that puts what `RateLimit.admit` noted on the answer, whoever makes it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(state.get(_HEADERS, {}))
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


async def _hit(limiter: MovingWindowRateLimiter, limits: Sequence[RateLimitItem], caller: str) -> Counted:
    """Count a request by all limits, or by none if one refuses: the longest that does, as it binds the longest."""
    for limit in limits[:0:-1]:  # the shortest refuses when it is hit, before any other is
        window = await limiter.get_window_stats(limit, caller)
        if window.remaining < 1:
            return False, [(limit, window)]
    windows: list[tuple[RateLimitItem, WindowStats]] = []
    for limit in limits:
        admitted = await limiter.hit(limit, caller)
        window = await limiter.get_window_stats(limit, caller)
        if not admitted:
            return False, [(limit, window)]
        windows.append((limit, window))
    return True, windows


def _storage(link: "RedisLink") -> RedisStorage:
    return RedisStorage(
        "async+redis://",  # the pool knows the address
        implementation="redispy",
        key_prefix="xgtwin:limits",
        connection_pool=link.client.connection_pool,  # type: ignore[arg-type]  # documented, but not in its types
    )


def _address(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, _NEIGHBOURS), strict=False)) if address.version == 6 else host
