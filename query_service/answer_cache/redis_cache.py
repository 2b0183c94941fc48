"""Answers in Redis, for all replicas of the service and through their restarts."""

import time
from typing import cast

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis

from query_service.answer_cache.protocol import KeptAnswer
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.redis_link import RedisLink

log = get_logger(__name__)

PREFIX = "xgtwin:answers:1"
"""The number rises with the shape of what is stored, so that releases side by side do not meet."""
USED = f"{PREFIX}:used"
"""Sorted set: what answers are kept under, by the time of their last use."""

_ANSWER = TypeAdapter(KeptAnswer)


class RedisCache:
    """`AnswerCache` of at most `entries` answers as JSON, none older than `seconds`; the least recently used goes
    first. Redis away: nothing is found, nothing kept."""

    def __init__(self, link: RedisLink, *, entries: int, seconds: float) -> None:
        self._link = link
        self._entries = entries
        self._seconds = seconds

    async def get(self, key: str) -> KeptAnswer | None:
        try:
            text = await self._link.ask(lambda redis: _read(redis, key))
        except Unavailable:  # the link has said so
            return None
        if text is None:
            return None
        try:
            return _ANSWER.validate_json(text)
        except ValidationError as error:
            log.warning("kept_answer_not_read", errors=error.error_count())
            return None

    async def put(self, key: str, answer: KeptAnswer) -> None:
        text = _ANSWER.dump_json(answer)
        try:
            await self._link.ask(lambda redis: self._write(redis, key, text))
        except Unavailable:
            return

    async def _write(self, redis: Redis, key: str, text: bytes) -> None:
        now, lifetime_ms = time.time(), max(1, round(self._seconds * 1000))
        async with redis.pipeline(transaction=False) as pipe:
            pipe.set(f"{PREFIX}:{key}", text, px=lifetime_ms)
            pipe.zadd(USED, {key: now})
            pipe.pexpire(USED, lifetime_ms)
            pipe.zremrangebyscore(USED, 0, now - self._seconds)  # last used so long ago, they have expired themselves
            pipe.zcard(USED)
            *_, kept = await pipe.execute()
        if kept > self._entries:
            # Whoever takes a name out deletes its answer; if that fails, the answer goes in its time.
            oldest = cast("list[tuple[bytes, float]]", await redis.zpopmin(USED, kept - self._entries))
            if oldest:  # another replica may have been quicker
                await redis.delete(*(f"{PREFIX}:{name.decode()}" for name, _ in oldest))


async def _read(redis: Redis, key: str) -> bytes | None:
    async with redis.pipeline(transaction=False) as pipe:
        pipe.get(f"{PREFIX}:{key}")
        pipe.zadd(USED, {key: time.time()}, xx=True)
        text, _ = await pipe.execute()
    return bytes(text) if text is not None else None
