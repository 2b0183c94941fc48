"""What became of one question at the language model: who answered, after how many others, how fast, for how much."""

import time
from dataclasses import dataclass, field
from typing import Literal

from query_service.events import Usage
from query_service.llm.protocol import Cost, Failure, Heard, Served


@dataclass(slots=True)
class Route:
    """Notes of one call while its pieces come, from now on. Tries that failed before the first word are part of it.

    What the server did not tell is empty, zero or None.
    """

    asked_model: str
    outcome: Literal["answered", "client_gone"] | Failure = "broken"
    """`client_gone`: the caller hung up first, so the model was stopped and never told what it cost."""
    served: Served = field(default_factory=Served)
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    first_token_ms: float | None = None
    total_ms: float = 0.0
    begun: float = field(default_factory=time.perf_counter)

    def note(self, piece: Heard) -> None:
        if isinstance(piece, Usage):
            self.usage = piece
        elif isinstance(piece, Served):
            self.served = piece
        elif isinstance(piece, Cost):
            self.cost_usd = piece.usd
        elif isinstance(piece, str) and self.first_token_ms is None:
            self.first_token_ms = self._ms()

    def end(self, outcome: Literal["answered", "client_gone"] | Failure) -> None:
        self.outcome, self.total_ms = outcome, self._ms()

    def _ms(self) -> float:
        return round((time.perf_counter() - self.begun) * 1000, 1)
