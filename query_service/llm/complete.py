"""A short text from the language model all at once: a rewritten question, a summary."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from query_service.llm.protocol import ChatMessage, Llm, LlmFailed


async def complete(llm: Llm, messages: Sequence[ChatMessage], *, max_tokens: int, deadline_s: float) -> str:
    """The whole text, stripped. Raises `LlmFailed`, with kind `timeout` when it is not complete in `deadline_s`.

    A resting model is not asked: its one trial is worth an answer, and `deadline_s` may be too short for any.

    Cancelling the caller ends the server's work. What comes back is a model's text: as little to be trusted as a
    visitor's.
    """
    if llm.resting:
        raise LlmFailed("resting")
    try:
        async with asyncio.timeout(deadline_s), aclosing(llm.stream(messages, max_tokens=max_tokens)) as pieces:
            return "".join([piece async for piece in pieces if isinstance(piece, str)]).strip()
    except TimeoutError as error:
        raise LlmFailed("timeout") from error
