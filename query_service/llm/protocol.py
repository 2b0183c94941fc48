"""The `Llm` port: a language model that streams an answer."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from query_service.events import Usage

Failure = Literal["timeout", "connection", "busy", "server", "refused", "broken", "empty", "resting"]
"""`busy`: 429. `server`: 5xx. `refused`: any other 4xx, so asking again changes nothing. `broken`: what came is not an
answer of this protocol. `empty`: it ended without a word. `resting`: not asked, after too many failures in a row."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class CutShort:
    """The answer ended because it was as long as it might get, or was filtered: perhaps in the middle of a sentence."""


@dataclass(frozen=True, slots=True)
class Served:
    """Who answers behind the name that was asked for, as far as the server tells. Before the first piece of text."""

    model: str = ""
    """The provider's name of the model, such as `openai/gpt-oss-20b`."""
    tier: str = ""
    """The proxy's name of it; another one than was asked for after a fallback."""
    fallbacks: int = 0
    """How many models were tried before it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the server says that the call cost."""

    usd: float


Heard = str | Usage | CutShort | Served | Cost


class LlmFailed(Exception):
    """The model's server did not do its part. `kind` is for metrics and logs; nothing here names a secret."""

    def __init__(self, kind: Failure, *, retry_after_s: float | None = None) -> None:
        super().__init__(kind)
        self.kind: Failure = kind
        self.retry_after_s = retry_after_s
        """What the server asked for, if it did."""


class Llm(Protocol):
    """A language model behind some server. Used on the event loop."""

    model: str
    """The name that is asked for."""
    host: str
    """Where it is asked, for people to read: no scheme, no path, no key."""

    @property
    def resting(self) -> bool:
        """Whether it failed too often lately: only an answer tries it then."""
        ...

    def stream(self, messages: Sequence[ChatMessage], *, max_tokens: int | None = None) -> AsyncGenerator[Heard, None]:
        """The answer in pieces of text (never empty), `CutShort` if it was, and what the server tells of itself: who
        answers, usage, cost.

        `max_tokens` is the longest answer wanted, LLM__MAX_TOKENS when left out. Raises `LlmFailed`. Closing the
        iterator, or cancelling its task, ends the server's work on it.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
