"""Threads for searches alone: a few at a time, and nobody waits for a store that is stuck."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from shared.errors import Unavailable

T = TypeVar("T")

AT_ONCE = 2
"""Searches that run at the same time, the others wait their turn: more threads than this, all of them computing, keep
the event loop from its own work (a thousand questions in one moment)."""
DEADLINE_S = 15.0
"""A store that takes longer than this is as good as gone; local ones answer in milliseconds."""


class Turns:
    """Runs searches in their order. One that never ends keeps its thread, and takes none that others need.

    Used on the event loop.
    """

    def __init__(self, *, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="search")
        self._latest_begun = 0.0

    async def run(self, search: Callable[[], T]) -> T:
        """What `search` returns or raises. Waiting for a turn may take long, as long as others get theirs.

        Raises `Unavailable` when the search takes longer than the deadline, or none has begun for so long. Cancelling
        the caller drops a search that has not begun.
        """
        asked, begun, context = time.monotonic(), 0.0, copy_context()

        def begin() -> T:
            nonlocal begun
            begun = self._latest_begun = time.monotonic()
            return context.run(search)

        searching = asyncio.wrap_future(self._threads.submit(begin))
        try:
            while not searching.done():
                left = (begun or max(asked, self._latest_begun)) + self._deadline_s - time.monotonic()
                if left <= 0:
                    raise Unavailable(
                        f"The document store did not answer within {self._deadline_s:g} s. Try again in a moment.",
                        retry_after=10,
                    )
                await asyncio.wait([searching], timeout=left)
            return searching.result()
        finally:
            searching.cancel()
