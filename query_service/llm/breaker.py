"""Sparing visitors the wait for a language model that is known to be down."""

import time
from collections.abc import Callable

from shared.observability.logs import get_logger
from shared.observability.metrics import LLM_RESTING

log = get_logger(__name__)

FAILURES = 3
"""In a row, until the model is left alone: one is a hiccup, two are bad luck."""
REST_S = 30.0
"""Until one question tries it again: a container restarts in less."""


class Breaker:
    """Counts failures in a row; from `FAILURES` on it lets one question through every `REST_S` until one succeeds.

    For the event loop: not thread-safe.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._rests_until = 0.0

    @property
    def rest_s(self) -> float:
        """Seconds until the model is tried again; 0 while it is in use."""
        return max(0.0, self._rests_until - self._clock()) if self.resting else 0.0

    @property
    def resting(self) -> bool:
        """Whether the model has not answered since it failed too often; from time to time one question tries it."""
        return self._failures >= FAILURES

    def admits(self) -> bool:
        """Whether this question may ask the model. The one that tries it again keeps the others out meanwhile."""
        if not self.resting:
            return True
        if self.rest_s:
            return False
        self._rest()
        return True

    def undecided(self) -> None:
        """The trial told nothing about the model: the next question may try."""
        self._rests_until = self._clock()

    def succeeded(self) -> None:
        if self.resting:
            log.info("llm_back")
        self._failures = 0
        LLM_RESTING.set(0)

    def failed(self) -> None:
        self._failures += 1
        if self._failures == FAILURES:
            log.warning("llm_rests", failures=FAILURES, seconds=REST_S)
        if self.resting:
            self._rest()
            LLM_RESTING.set(1)

    def _rest(self) -> None:
        self._rests_until = self._clock() + REST_S
