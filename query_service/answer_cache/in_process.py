"""Answers in the memory of this process: the least recently used one goes first, each goes in time."""

import time
from collections import OrderedDict
from collections.abc import Callable

from query_service.answer_cache.protocol import KeptAnswer


class InProcessCache:
    """`AnswerCache` of at most `entries` answers (10 to 50 KB each), none older than `seconds`."""

    def __init__(self, *, entries: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries = entries
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, KeptAnswer]] = OrderedDict()

    async def get(self, key: str) -> KeptAnswer | None:
        put_at, answer = self._kept.get(key, (0.0, None))
        if answer is None:
            return None
        if self._clock() - put_at > self._seconds:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return answer

    async def put(self, key: str, answer: KeptAnswer) -> None:
        self._kept[key] = (self._clock(), answer)
        self._kept.move_to_end(key)
        while len(self._kept) > self._entries:
            self._kept.popitem(last=False)
