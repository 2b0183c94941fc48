"""A language model that says its script."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from query_service.llm.protocol import ChatMessage

NEVER = object()


class ScriptedLlm:
    """Says its script; an exception in it is raised, NEVER waits for ever. Several scripts: one a call, the last again.

    `calls` are the messages it was shown; `closed` tells whether a call was ended.
    """

    model, host = "scripted", "nowhere"
    resting = False

    def __init__(self, *script: object, then: Sequence[Sequence[object]] = ()) -> None:
        self.scripts = [script, *then]
        self.calls: list[Sequence[ChatMessage]] = []
        self.max_tokens: int | None = None
        self.closed = False

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int | None = None
    ) -> AsyncGenerator[Any, None]:
        self.calls.append(messages)
        self.max_tokens = max_tokens
        try:
            for step in self.scripts[min(len(self.calls), len(self.scripts)) - 1]:
                if step is NEVER:
                    await asyncio.Event().wait()
                elif isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.closed = True

    async def close(self) -> None:
        pass
