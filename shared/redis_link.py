"""The way to Redis for what is only nice to have: short time-outs, and no asking while it is known to be away."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError, ResponseError

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import REDIS_FAILURES

log = get_logger(__name__)

TIMEOUT_S = 0.5
"""For one call, the connection included. On one machine Redis answers in less than a millisecond."""
REST_S = 5.0
"""For which Redis is left alone after a failure: one visitor in that time waits `TIMEOUT_S` at most."""

T = TypeVar("T")


class RedisLink:
    """Connects when first asked. For one event loop at a time; `part` names its user on log and metric."""

    def __init__(self, url: SecretStr, *, part: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._part = part
        self._clock = clock
        self._trouble = ""
        self._rests_until = 0.0
        try:
            self.client = Redis.from_url(
                url.get_secret_value(),
                socket_connect_timeout=TIMEOUT_S,
                socket_timeout=TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:
            raise Unavailable(f"REDIS__URL is no address of a Redis server: {error}") from error

    async def ask(self, call: Callable[["Redis"], Awaitable[T]]) -> T:
        """What `call` gives. Raises `Unavailable` when Redis fails, is late, or failed less than `REST_S` ago."""
        if self._trouble and self._clock() < self._rests_until:
            raise Unavailable("Redis (REDIS__URL) is left alone for a moment after a failure.")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await call(self.client)
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error)
            raise Unavailable(f"Redis (REDIS__URL) {what_is_wrong(error)}.") from error
        if self._trouble:
            log.info("redis_back", part=self._part)
        self._trouble = ""
        return found

    def _failed(self, error: Exception) -> None:
        REDIS_FAILURES.labels(self._part).inc()
        self._rests_until = self._clock() + REST_S
        trouble = "redis_refuses" if refusal(error) else "redis_away"
        if trouble != self._trouble:  # once an outage, and again when it turns out to be something else
            log.warning(trouble, part=self._part, reason=str(error) or type(error).__name__, seconds=REST_S)
        self._trouble = trouble

    async def close(self) -> None:
        await self.client.aclose()


def refusal(error: BaseException | None) -> str:
    """What Redis itself said against a call: no room, a wrong password, a key of another type. Empty if it is away."""
    while error is not None:
        if isinstance(error, ResponseError | AuthenticationError | AuthorizationError):
            return str(error)
        error = error.__cause__
    return ""


def what_is_wrong(error: BaseException) -> str:
    """For a sentence that begins with Redis. Holds no password."""
    said = refusal(error)
    return f"answers, but refuses ({said.rstrip('.')})" if said else "does not answer"
