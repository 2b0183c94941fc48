"""The one place that talks to an OpenAI-compatible server: OpenAI, LiteLLM, Ollama, vLLM, llama.cpp and others."""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
import openai
from openai.types.chat import ChatCompletionMessageParam

from query_service.llm.accounts import account, served_by
from query_service.llm.observed import observed
from query_service.llm.protocol import ChatMessage, CutShort, Failure, Heard, LlmFailed
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.part_settings import LlmSettings

log = get_logger(__name__)

NO_KEY = "none"
"""The library insists on a key; servers that want none ignore it."""


class OpenAICompatible:
    """`Llm` over `/chat/completions` with streaming."""

    resting = False

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

    def stream(self, messages: Sequence[ChatMessage], *, max_tokens: int | None = None) -> AsyncGenerator[Heard, None]:
        return observed(self.model, self.host, lambda headers: self._stream(messages, max_tokens, headers))

    async def close(self) -> None:
        await self._client.close()

    async def _stream(
        self, messages: Sequence[ChatMessage], max_tokens: int | None, headers: Mapping[str, str]
    ) -> AsyncGenerator[Heard, None]:
        try:
            async with self._client.chat.completions.with_streaming_response.create(
                model=self.model,
                messages=[_param(message) for message in messages],
                stream=True,
                stream_options={"include_usage": True},
                max_tokens=max_tokens or self._settings.max_tokens,
                temperature=self._settings.temperature,
                extra_headers=headers,
            ) as response:
                if served := served_by(response.headers):
                    yield served
                if response.headers.get("content-type", "").startswith("application/json"):
                    # A server that does not stream answers all at once, whatever it was asked.
                    for piece in _pieces(json.loads(await response.read()), "message", response.headers):
                        yield piece
                    return
                complete = False
                # The library's own models of a chunk take 0.3 ms each to build: with 1,000 streams, all the time.
                async for line in response.iter_lines():
                    field, _, data = line.partition(":")
                    if field == "data" and data.strip() == "[DONE]":
                        return
                    if field == "data":
                        chunk = json.loads(data)
                        for piece in _pieces(chunk, "delta", response.headers):
                            yield piece
                        complete = complete or _finish(chunk) is not None
                if not complete:
                    raise ValueError("a stream that ends without saying so")
        except (openai.APITimeoutError, httpx2.TimeoutException) as error:
            raise LlmFailed("timeout") from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:  # before its answer, and in the middle of it
            raise LlmFailed("connection") from error
        except openai.APIStatusError as error:
            log.warning("llm_refused", status=error.status_code)
            raise LlmFailed(_kind(error.status_code), retry_after_s=_retry_after_s(error)) from error
        except (openai.OpenAIError, ValueError, TypeError, LookupError, AttributeError) as error:
            # The server's JSON is trusted: what is not a chunk shows up as any of these.
            log.warning("llm_answer_broken", error=type(error).__name__)
            raise LlmFailed("broken") from error


def _kind(status: int) -> Failure:
    if status == 429:
        return "busy"
    return "server" if status >= 500 else "refused"


def _retry_after_s(error: openai.APIStatusError) -> float | None:
    """Seconds, as model servers write it; the header's other form, a date, is not worth reading here."""
    value = error.response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else None


def _pieces(chunk: dict[str, Any], part: Literal["message", "delta"], headers: Mapping[str, str]) -> Iterator[Heard]:
    """Usage and text of a chunk or of a whole answer; not every server sends both, and some chunks have neither."""
    if chunk.get("error"):
        raise ValueError("an error in place of a chunk")
    yield from account(chunk, headers)
    if (choices := chunk.get("choices")) and (text := choices[0][part].get("content")):
        yield text
    if _finish(chunk) in {"length", "content_filter"}:
        yield CutShort()


def _finish(chunk: dict[str, Any]) -> str | None:
    """Why the answer ends here; None while it goes on."""
    choices = chunk.get("choices")
    return choices[0].get("finish_reason") or None if choices else None


def _param(message: ChatMessage) -> ChatCompletionMessageParam:
    if message.role == "system":
        return {"role": "system", "content": message.content}
    if message.role == "assistant":
        return {"role": "assistant", "content": message.content}
    return {"role": "user", "content": message.content}
