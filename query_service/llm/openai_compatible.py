"""The one place that talks to an OpenAI-compatible server: OpenAI, LiteLLM, Ollama, vLLM, llama.cpp and others."""

import json
from collections.abc import AsyncGenerator, Sequence
from urllib.parse import urlsplit

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from query_service.events import Usage
from query_service.llm.protocol import ChatMessage, Failure, LlmFailed
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.settings import LlmSettings

log = get_logger(__name__)

NO_KEY = "none"
"""The library insists on a key; servers that want none ignore it."""


class OpenAICompatible:
    """`Llm` over `/chat/completions` with streaming."""

    def __init__(self, settings: LlmSettings, *, client: openai.AsyncOpenAI | None = None) -> None:
        if not settings.model:
            raise Unavailable("LLM__BASE_URL is set but LLM__MODEL is not: name the model that this server shall use.")
        self.model = settings.model
        self.host = urlsplit(settings.base_url).netloc.rpartition("@")[2]
        self._settings = settings
        self._client = client or openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key.get_secret_value() or NO_KEY,
            timeout=settings.timeout_s,
            max_retries=0,  # guarded.py asks again, and knows how much time is left
        )

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int | None = None
    ) -> AsyncGenerator[str | Usage, None]:
        try:
            async with self._client.chat.completions.with_streaming_response.create(
                model=self.model,
                messages=[_param(message) for message in messages],
                stream=True,
                stream_options={"include_usage": True},
                max_tokens=max_tokens or self._settings.max_tokens,
                temperature=self._settings.temperature,
            ) as response:
                if response.headers.get("content-type", "").startswith("application/json"):
                    # A server that does not stream answers all at once, whatever it was asked.
                    whole = ChatCompletion.construct(**json.loads(await response.read()))
                    if whole.usage:
                        yield _usage(whole.usage)
                    if whole.choices and (text := whole.choices[0].message.content):
                        yield text
                    return
                async for chunk in await response.parse():
                    if chunk.usage:
                        yield _usage(chunk.usage)
                    # Not every server sends choices with the usage, and some send pieces without text.
                    if chunk.choices and (piece := chunk.choices[0].delta.content):
                        yield piece
        except openai.APITimeoutError as error:
            raise LlmFailed("timeout") from error
        except openai.APIConnectionError as error:
            raise LlmFailed("connection") from error
        except openai.APIStatusError as error:
            log.warning("llm_refused", status=error.status_code)
            raise LlmFailed(_kind(error.status_code), retry_after_s=_retry_after_s(error)) from error
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            # The library trusts the server's JSON: what is not a chunk shows up as any of these.
            log.warning("llm_answer_broken", error=type(error).__name__)
            raise LlmFailed("broken") from error

    async def close(self) -> None:
        await self._client.close()


def _kind(status: int) -> Failure:
    if status == 429:
        return "busy"
    return "server" if status >= 500 else "refused"


def _retry_after_s(error: openai.APIStatusError) -> float | None:
    """Seconds, as model servers write it; the header's other form, a date, is not worth reading here."""
    value = error.response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else None


def _usage(counted: CompletionUsage) -> Usage:
    return Usage(
        prompt_tokens=counted.prompt_tokens or 0,
        completion_tokens=counted.completion_tokens or 0,
        total_tokens=counted.total_tokens or 0,
    )


def _param(message: ChatMessage) -> ChatCompletionMessageParam:
    if message.role == "system":
        return {"role": "system", "content": message.content}
    if message.role == "assistant":
        return {"role": "assistant", "content": message.content}
    return {"role": "user", "content": message.content}
