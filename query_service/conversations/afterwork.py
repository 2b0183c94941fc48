"""What is done after an answer was given, so that nobody waits for it: summaries, and what is remembered."""

import asyncio
from collections.abc import Coroutine

from shared.observability.logs import get_logger
from shared.observability.metrics import AFTERWORK

log = get_logger(__name__)

MAX_TASKS = 32
"""Beyond it work is left undone: it is done after the conversation's next answer, or not at all."""
FAREWELL_S = 2.0
"""What is under way gets this long when the service stops."""


class Afterwork:
    """Runs coroutines beside the answers. A failure is counted and logged, and costs no answer."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Coroutine[None, None, None]) -> None:
        if len(self._tasks) >= MAX_TASKS:
            work.close()
            AFTERWORK.labels(name, "dropped").inc()
            return
        task = asyncio.create_task(self._run(name, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait a little for what is under way, then stop it."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=FAREWELL_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, name: str, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception:
            AFTERWORK.labels(name, "failed").inc()
            log.exception("afterwork_failed", work=name)
        else:
            AFTERWORK.labels(name, "done").inc()
