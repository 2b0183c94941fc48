"""The wire of the OpenAI-compatible client, over the library's own mock transport."""

import json
from typing import Any

import httpx2
import openai
import pytest

from query_service.events import Usage
from query_service.llm.openai_compatible import OpenAICompatible
from query_service.llm.protocol import ChatMessage, CutShort, Heard, LlmFailed
from shared.errors import Unavailable
from shared.part_settings import LlmSettings

SETTINGS = LlmSettings(base_url="http://user:pw@llm.test:4000/v1", model="small", api_key="k-123", max_tokens=99)
MESSAGES = [ChatMessage("system", "regras"), ChatMessage("user", "pergunta")]


def over(handler) -> OpenAICompatible:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(handler))
    client = openai.AsyncOpenAI(
        base_url="http://llm.test:4000/v1", api_key="k-123", http_client=http, max_retries=0, _enforce_credentials=False
    )
    return OpenAICompatible(SETTINGS, client=client)


def sse(*chunks) -> httpx2.Response:
    body = "".join(f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n" for chunk in chunks)
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=body)


def delta(text) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def finish(reason: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


async def said(llm) -> list[Heard]:
    return [piece async for piece in llm.stream(MESSAGES)]


async def test_the_request_carries_model_messages_limits_and_key():
    seen = []

    def handler(request):
        seen.append(request)
        return sse(delta("oi"), "[DONE]")

    assert await said(over(handler)) == ["oi"]
    body = json.loads(seen[0].content)
    assert seen[0].url.path == "/v1/chat/completions"
    assert seen[0].headers["authorization"] == "Bearer k-123"
    assert body["messages"] == [{"role": "system", "content": "regras"}, {"role": "user", "content": "pergunta"}]
    assert (body["model"], body["stream"], body["max_tokens"]) == ("small", True, 99)


async def test_empty_pieces_are_left_out_and_usage_is_passed_on():
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}
    chunks = [delta(None), delta(""), {"choices": [{"index": 0, "delta": {}}]}, delta("a"), delta("b"), usage, "[DONE]"]
    assert await said(over(lambda _: sse(*chunks))) == [
        "a",
        "b",
        Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5),
    ]


async def test_a_server_that_does_not_stream_is_understood_too():
    whole = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "small",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "tudo [1]"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
    assert await said(over(lambda _: httpx2.Response(200, json=whole))) == [
        Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5),
        "tudo [1]",
    ]


async def test_an_answer_with_only_the_text_is_enough():
    whole = {"choices": [{"message": {"role": "assistant", "content": "tudo"}}]}
    assert await said(over(lambda _: httpx2.Response(200, json=whole))) == ["tudo"]


@pytest.mark.parametrize("body", ["[]", "not json", '{"choices": 3}', '{"choices": [{}]}'])
async def test_json_that_is_no_answer_is_broken(body):
    response = httpx2.Response(200, headers={"content-type": "application/json"}, text=body)
    with pytest.raises(LlmFailed, match="broken"):
        await said(over(lambda _: response))


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "refused"), (401, "refused"), (404, "refused"), (429, "busy"), (500, "server")]
)
async def test_a_status_says_whether_it_was_refused_or_failed(status, kind):
    with pytest.raises(LlmFailed) as caught:
        await said(over(lambda _: httpx2.Response(status, json={"error": {"message": "secret k-123"}})))
    assert caught.value.kind == kind
    assert "k-123" not in str(caught.value)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), (None, None)])
async def test_the_wait_that_a_busy_server_asks_for_is_passed_on(header, seconds):
    headers = {"retry-after": header} if header else {}
    with pytest.raises(LlmFailed) as caught:
        await said(over(lambda _: httpx2.Response(429, headers=headers, json={})))
    assert caught.value.retry_after_s == seconds


async def test_a_shorter_answer_can_be_asked_for():
    seen = []

    def handler(request):
        seen.append(json.loads(request.content))
        return sse(delta("oi"), "[DONE]")

    assert [piece async for piece in over(handler).stream(MESSAGES, max_tokens=7)] == ["oi"]
    assert seen[0]["max_tokens"] == 7


@pytest.mark.parametrize("chunk", ["{not json", '{"choices": 5}', '{"choices": [{"delta": null}]}', '{"error": "x"}'])
async def test_what_is_not_a_chunk_is_a_broken_answer(chunk):
    with pytest.raises(LlmFailed) as caught:
        await said(over(lambda _: sse(delta("a"), chunk)))
    assert caught.value.kind == "broken"


@pytest.mark.parametrize("last", [(), (delta("b"),), ({"choices": [], "usage": {"total_tokens": 5}},)])
async def test_a_stream_that_just_ends_is_a_broken_answer(last):
    with pytest.raises(LlmFailed, match="broken"):
        await said(over(lambda _: sse(delta("a"), *last)))


async def test_either_sign_of_the_end_is_enough():
    for end in ("[DONE]", finish("stop")):
        assert await said(over(lambda _, end=end: sse(delta("a"), end))) == ["a"]


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_an_answer_that_was_cut_short_says_so_streamed_or_not(reason):
    assert await said(over(lambda _: sse(delta("a"), finish(reason), "[DONE]"))) == ["a", CutShort()]
    whole = {"choices": [{"message": {"content": "a"}, "finish_reason": reason}]}
    assert await said(over(lambda _: httpx2.Response(200, json=whole))) == ["a", CutShort()]


async def test_a_server_that_cannot_be_reached_is_a_connection_failure():
    def handler(request):
        raise httpx2.ConnectError("refused")

    with pytest.raises(LlmFailed) as caught:
        await said(over(handler))
    assert caught.value.kind == "connection"


def test_the_host_is_shown_without_user_password_or_path():
    assert over(lambda _: sse()).host == "llm.test:4000"


def test_a_url_without_a_model_is_refused_with_the_settings_name():
    with pytest.raises(Unavailable, match="LLM__MODEL"):
        OpenAICompatible(LlmSettings(base_url="http://llm.test"))
