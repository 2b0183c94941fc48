"""The `Llm` port: a language model that streams an answer."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from query_service.events import Usage


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: Literal["system", "user", "assistant"]
    content: str


class LlmFailed(Exception):
    """The model's server did not do its part. `kind` is for metrics and logs; the detail names no secret."""

    def __init__(self, kind: Literal["timeout", "connection", "refused", "server", "broken", "empty"]) -> None:
        super().__init__(kind)
        self.kind = kind


class Llm(Protocol):
    """A language model behind some server. Used on the event loop."""

    model: str
    """The name that is asked for."""
    host: str
    """Where it is asked, for people to read: no scheme, no path, no key."""

    def stream(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[str | Usage, None]:
        """The answer in pieces of text (never empty), and its usage once if the server tells it.

        Raises `LlmFailed`. Closing the iterator, or cancelling its task, ends the server's work on it.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
