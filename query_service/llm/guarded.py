"""A language model within limits: time to its first word, time in all, attempts, and rest when it is down."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from query_service.llm.breaker import Breaker
from query_service.llm.protocol import ChatMessage, Heard, Llm, LlmFailed
from query_service.llm.reasoning import ReasoningFilter
from shared.observability.logs import get_logger
from shared.observability.metrics import LLM_FAILURES, LLM_RETRIES

log = get_logger(__name__)

ATTEMPTS = 3
BACKOFF_S = 0.5
"""Before the second attempt, doubled before the third, each with up to half of it more by chance."""
PASSING = frozenset({"connection", "busy", "server", "broken", "empty"})
"""Failures that another attempt may not meet. A timeout is none: the visitor has waited long enough."""


class GuardedLlm:
    """An `Llm` around another one. The failures of `stream` are counted and logged here, once each.

    Raises `LlmFailed`: before the first piece only after the attempts that fit into `first_token_s`; after it at once,
    for what was said cannot be unsaid; and at the latest `timeout_s` after the beginning. White space and
    reasoning before the first word are left out, and are no word.
    """

    def __init__(self, llm: Llm, *, first_token_s: float, timeout_s: float, breaker: Breaker | None = None) -> None:
        self.model, self.host = llm.model, llm.host
        self.breaker = breaker or Breaker()
        self._llm = llm
        self._first_token_s = min(first_token_s, timeout_s)
        self._timeout_s = timeout_s

    @property
    def resting(self) -> bool:
        return self.breaker.resting

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int | None = None
    ) -> AsyncGenerator[Heard, None]:
        trial = self.breaker.resting
        if not self.breaker.admits():
            LLM_FAILURES.labels("resting").inc()
            raise LlmFailed("resting")
        try:
            async with aclosing(self._attempts(messages, max_tokens)) as pieces:
                async for piece in pieces:
                    yield piece
            self.breaker.succeeded()
            trial = False
        except LlmFailed as error:
            if error.kind != "refused":  # what is wrong with one question says nothing about the next
                self.breaker.failed()
                trial = False
            raise
        finally:
            if trial:
                self.breaker.undecided()

    async def close(self) -> None:
        await self._llm.close()

    async def _attempts(self, messages: Sequence[ChatMessage], max_tokens: int | None) -> AsyncGenerator[Heard, None]:
        begun = asyncio.get_running_loop().time()
        for attempt in range(1, ATTEMPTS + 1):
            spoke = False
            try:
                async with aclosing(self._attempt(messages, max_tokens, begun)) as pieces:
                    async for piece in pieces:
                        spoke = spoke or isinstance(piece, str)
                        yield piece
            except LlmFailed as error:
                pause = None if spoke or attempt == ATTEMPTS else self._pause(error, attempt, begun)
                if pause is None:
                    self._failed(error, after_first_token=spoke)
                    raise
                LLM_RETRIES.inc()
                log.info("llm_asked_again", kind=error.kind, attempt=attempt + 1, after_s=round(pause, 2))
                await asyncio.sleep(pause)
            else:
                return

    async def _attempt(
        self, messages: Sequence[ChatMessage], max_tokens: int | None, begun: float
    ) -> AsyncGenerator[Heard, None]:
        loop = asyncio.get_running_loop()
        deadline, spoke, aloud = begun + self._first_token_s, False, ReasoningFilter()
        async with aclosing(self._llm.stream(messages, max_tokens=max_tokens)) as stream:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        piece = await anext(stream, None)
                except TimeoutError as error:
                    raise LlmFailed("timeout") from error
                if piece is None:
                    break
                if loop.time() > deadline:  # pieces that were waiting never let the timer run
                    raise LlmFailed("timeout")
                if isinstance(piece, str):
                    piece = aloud.feed(piece)
                    if not piece:
                        continue
                    spoke, deadline = True, begun + self._timeout_s
                yield piece
        if rest := aloud.rest():
            spoke = True
            yield rest
        if not spoke:
            raise LlmFailed("empty")

    def _pause(self, error: LlmFailed, attempt: int, begun: float) -> float | None:
        """Seconds until the next attempt; None when there is no use in one or no time for it."""
        if error.kind not in PASSING:
            return None
        pause = BACKOFF_S * 2 ** (attempt - 1) * random.uniform(1, 1.5)  # noqa: S311 - spreads callers, guards nothing
        pause = max(pause, error.retry_after_s or 0.0)
        left = begun + self._first_token_s - asyncio.get_running_loop().time()
        return pause if pause < left else None

    def _failed(self, error: LlmFailed, *, after_first_token: bool) -> None:
        LLM_FAILURES.labels(error.kind).inc()
        log.warning(
            "llm_failed", kind=error.kind, host=self.host, model=self.model, after_first_token=after_first_token
        )
