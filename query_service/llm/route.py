"""What became of one question at the language model: who answered, after how many others, how fast, for how much."""

import time
from dataclasses import dataclass
from typing import Literal

from query_service.events import Usage
from query_service.llm.protocol import Cost, Failure, Heard, Served


@dataclass(frozen=True, slots=True)
class Route:
    """`outcome` is `answered`, or how it failed; what the server did not tell is empty, zero or None."""

    asked_model: str
    outcome: Literal["answered"] | Failure
    served: Served
    usage: Usage
    cost_usd: float | None
    first_token_ms: float | None
    total_ms: float


class RouteNotes:
    """Notes of one call while its pieces come, from now on. Tries that failed before the first word are part of it."""

    def __init__(self, asked_model: str) -> None:
        self.usage = Usage()
        self._asked_model = asked_model
        self._served = Served()
        self._cost_usd: float | None = None
        self._first_token_ms: float | None = None
        self._begun = time.perf_counter()

    def note(self, piece: Heard) -> None:
        if isinstance(piece, Usage):
            self.usage = piece
        elif isinstance(piece, Served):
            self._served = piece
        elif isinstance(piece, Cost):
            self._cost_usd = piece.usd
        elif isinstance(piece, str) and self._first_token_ms is None:
            self._first_token_ms = self._ms()

    def route(self, outcome: Literal["answered"] | Failure) -> Route:
        return Route(
            self._asked_model,
            outcome,
            self._served,
            self.usage,
            self._cost_usd,
            self._first_token_ms,
            self._ms(),
        )

    def _ms(self) -> float:
        return round((time.perf_counter() - self._begun) * 1000, 1)
