"""One call of a language model as operators see it: a span, tokens, cost, fallbacks."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from query_service.events import Usage
from query_service.llm.protocol import Cost, Heard, LlmFailed, Served
from shared.observability.metrics import LLM_COST_USD, LLM_FALLBACKS, LLM_TOKENS
from shared.observability.traces import Span, call


async def observed(
    model: str, host: str, said: Callable[[Mapping[str, str]], AsyncGenerator[Heard, None]]
) -> AsyncGenerator[Heard, None]:
    """The pieces of one call as they come. `said` makes the call, with the headers that it is given."""
    facts = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model, "server.address": host}
    with call(f"chat {model}", facts) as calling:
        spoke, tier = False, model
        try:
            async with aclosing(said(calling.headers)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Served):
                        tier = piece.tier or model
                    if not isinstance(piece, str):
                        _noted(piece, tier, calling)
                    elif not spoke:
                        spoke = True
                        calling.event("first_token")
                    yield piece
        except LlmFailed as error:
            calling.note({"xgtwin.llm.failure": error.kind})
            raise


def _noted(piece: Heard, tier: str, calling: Span) -> None:
    if isinstance(piece, Served):
        calling.note({"gen_ai.response.model": piece.model or tier, "xgtwin.llm.tier": tier})
        LLM_FALLBACKS.labels(tier).inc(piece.fallbacks)
    elif isinstance(piece, Usage):
        read, written = piece.prompt_tokens, piece.completion_tokens
        calling.note({"gen_ai.usage.input_tokens": read, "gen_ai.usage.output_tokens": written})
        LLM_TOKENS.labels(tier, "read").inc(read)
        LLM_TOKENS.labels(tier, "written").inc(written)
    elif isinstance(piece, Cost):
        calling.note({"xgtwin.llm.cost_usd": piece.usd})
        LLM_COST_USD.labels(tier).inc(piece.usd)
