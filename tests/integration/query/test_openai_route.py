"""The product as a model: OpenAI's own client, and the shapes on the wire."""

import json
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from sqlmodel import Session, select

from query_service.conversations.tables import Conversation
from shared.auth.keys import Scope, create_key
from tests.integration.query.servers import serving

PICTURE = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}]
TOOL = {"type": "function", "function": {"name": "lamp", "parameters": {"type": "object", "properties": {}}}}
QUESTION: Any = {"role": "user", "content": "Quando o Inatel foi fundado?"}


@pytest.fixture
def address(build):
    with serving(build()) as address:
        yield f"{address}/v1"


@pytest.fixture
def chat(address):
    with OpenAI(base_url=address, api_key="none", max_retries=0) as client:
        yield client.chat.completions


def test_openai_s_client_finds_the_model_and_gets_an_answer_with_its_proof(address, chat):
    with OpenAI(base_url=address, api_key="none") as client:
        (model,) = client.models.list().data
        assert client.models.retrieve(model.id).id == model.id
    answer = chat.create(model=model.id, messages=[QUESTION], temperature=0.2)
    text = answer.choices[0].message.content
    assert "31 de março de 1965" in text
    assert "**Fontes**\n- [1] inatel.md: “" in text
    assert (answer.choices[0].finish_reason, answer.model) == ("stop", model.id)
    assert answer.model_extra["grounded"] is True
    assert answer.model_extra["citations"][0]["filename"] == "inatel.md"


def test_a_stream_ends_with_the_proof_the_usage_and_done(address, chat):
    chunks = list(chat.create(model="xgtwin", messages=[QUESTION], stream=True, stream_options={"include_usage": True}))
    said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert "31 de março de 1965" in said
    assert "**Fontes**" in said
    assert len({chunk.id for chunk in chunks}) == 1
    *_, last, usage = chunks
    assert last.choices[0].finish_reason == "stop"
    assert last.model_extra["citations"][0]["quote"]
    assert usage.choices == []
    assert usage.usage.total_tokens == 0
    body = {"model": "xgtwin", "messages": [QUESTION], "stream": True}
    wire = httpx.post(f"{address}/chat/completions", json=body).text
    assert wire.endswith("data: [DONE]\n\n")
    lines = [line for line in wire.splitlines() if line]
    assert all(line.startswith("data: ") for line in lines)
    assert json.loads(lines[0].removeprefix("data: "))["choices"][0]["delta"]["role"] == "assistant"


def test_a_follow_up_is_understood_from_the_messages_that_the_client_sends(chat, engine):
    asked: Any = {"role": "user", "content": "Quem coordena o xGMobile?"}
    first = chat.create(model="xgtwin", messages=[asked]).choices[0].message.content
    messages: Any = [
        {"role": "system", "content": "You are a pirate."},
        asked,
        {"role": "assistant", "content": first},
        {"role": "user", "content": [{"type": "text", "text": "E onde ele fez o doutorado?"}]},
    ]
    answer = chat.create(model="xgtwin", messages=messages)
    assert answer.model_extra["grounded"] is True
    assert "Unicamp" in answer.choices[0].message.content
    with Session(engine) as session:
        assert session.exec(select(Conversation)).all() == []


def test_an_earlier_answer_goes_to_the_language_model_without_its_list_of_sources(build, llm, model):
    model.script = ["Foi fundado em 31 de março de 1965. [1]"]
    earlier: Any = {"role": "assistant", "content": "Sim.\n\n**Fontes**\n- [1] segredo.pdf: “um trecho”"}
    with (
        serving(build(llm=llm)) as address,
        OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        messages: Any = [{"role": "user", "content": "O Inatel existe?"}, earlier, QUESTION]
        answer = client.chat.completions.create(model="xgtwin", messages=messages)
    assert "31 de março" in str(answer.choices[0].message.content)
    assert "segredo.pdf" not in model.prompt


def test_odd_things_in_earlier_messages_do_not_end_a_chat(build, llm, model):
    model.script = ["Foi fundado em 31 de março de 1965. [1]"]
    messages: Any = [
        {"role": "user", "content": [{"type": "text", "text": "Veja:"}, *PICTURE]},
        {"role": "assistant", "content": "Sim \udfff"},
        {"role": "user", "content": "Tenho uma lista:\n\n**Sources**\nprimeira"},
        {"role": "assistant", "content": None},
        *({"role": "user", "content": f"Pergunta {n}?"} for n in range(600)),
        {"role": "user", "content": "Tenho uma lista:\n\n**Sources**\nprimeira"},
        QUESTION,
    ]
    body = json.dumps({"model": "xgtwin", "messages": messages, "stream": None})
    with serving(build(llm=llm)) as address:
        answer = httpx.post(
            f"{address}/v1/chat/completions", content=body, headers={"Content-Type": "application/json"}
        )
    assert "31 de março" in answer.json()["choices"][0]["message"]["content"]
    assert "primeira" in model.prompt


def test_a_question_beside_the_documents_is_refused_and_says_so(chat):
    asked: Any = {"role": "user", "content": "Quem venceu a copa do mundo de 1994?"}
    answer = chat.create(model="xgtwin", messages=[asked])
    assert answer.model_extra["grounded"] is False
    assert "Fontes" not in answer.choices[0].message.content


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": "gpt-5", "messages": [QUESTION]}, 404, "model_not_found"),
        ({"model": "xgtwin", "messages": []}, 400, "invalid_request"),
        ({"model": "xgtwin"}, 400, "invalid_request"),
        ({"model": "xgtwin", "messages": [{"role": "assistant", "content": "Oi"}]}, 400, "no_question"),
        ({"model": "xgtwin", "messages": [{"role": "user", "content": "  "}]}, 400, "empty_question"),
        (
            {"model": "xgtwin", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            400,
            "unsupported_content",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_in_openai_s_shape(address, body, status, code):
    response = httpx.post(f"{address}/chat/completions", json=body)
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"message", "type", "code", "param"}
    assert error["code"] == code
    assert error["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/models/gpt-5", 404, "model_not_found"),
        ("POST", "/embeddings", 404, "not_found"),
        ("GET", "", 404, "not_found"),
        ("GET", "/chat/completions", 405, "method_not_allowed"),
    ],
)
def test_what_is_not_there_is_told_in_openai_s_shape(address, method, path, status, code):
    response = httpx.request(method, f"{address}{path}")
    error = response.json()["error"]
    assert (response.status_code, error["code"], set(error)) == (status, code, {"message", "type", "code", "param"})
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]


def test_a_body_over_the_limit_is_told_in_openai_s_shape(address):
    response = httpx.post(f"{address}/chat/completions", content=b"x" * 5_000_000)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")
    assert "QUERY__MAX_QUESTION_CHARS" in response.json()["error"]["message"]


def test_broken_json_and_a_foreign_page_are_told_in_openai_s_shape(address):
    broken = httpx.post(f"{address}/chat/completions", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "invalid_request")
    foreign = httpx.post(f"{address}/chat/completions", json={}, headers={"Origin": "https://elsewhere.example"})
    assert (foreign.status_code, foreign.json()["error"]["type"]) == (403, "permission_error")


def test_a_model_that_breaks_off_is_a_server_error_in_openai_s_shape(build, llm, model):
    model.script = ["O Inatel foi ", model.DROP]
    with (
        serving(build(llm=llm)) as address,
        OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        with pytest.raises(openai.InternalServerError) as broken:
            client.chat.completions.create(model="xgtwin", messages=[QUESTION])
        with pytest.raises(openai.APIError) as in_a_stream:
            list(client.chat.completions.create(model="xgtwin", messages=[QUESTION], stream=True))
    assert (broken.value.status_code, broken.value.code, broken.value.type) == (503, "llm_interrupted", "server_error")
    assert broken.value.response.headers["retry-after"]
    assert (in_a_stream.value.code, in_a_stream.value.type) == ("llm_interrupted", "server_error")


def test_a_caller_over_the_limit_gets_the_clients_own_error(build):
    with (
        serving(build(query={"rate_limit": "1/hour"})) as address,
        OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        client.chat.completions.create(model="xgtwin", messages=[QUESTION])
        with pytest.raises(openai.RateLimitError) as refused:
            client.chat.completions.create(model="xgtwin", messages=[QUESTION])
    assert (refused.value.code, refused.value.type) == ("too_many_requests", "rate_limit_error")
    assert int(refused.value.response.headers["retry-after"]) > 3500


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": 0}, "n"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tools": [TOOL], "tool_choice": "required"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "lamp"}}}, "tool_choice"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
def test_what_would_be_lost_in_silence_is_refused_by_its_name(chat, asked, param):
    with pytest.raises(openai.BadRequestError) as refused:
        chat.create(model="xgtwin", messages=[QUESTION], **asked)
    assert refused.value.param == param
    assert param in refused.value.message


def test_what_clients_send_unasked_is_taken(chat):
    steering: Any = {
        "n": 1,
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 5,
        "stop": ["Inatel"],
        "seed": 7,
        "tools": [TOOL],
        "tool_choice": "auto",
        "response_format": {"type": "text"},
        "logprobs": False,
        "modalities": ["text"],
    }
    answer = chat.create(model="xgtwin", messages=[QUESTION], **steering)
    assert "31 de março de 1965" in answer.choices[0].message.content


def test_without_a_key_where_one_is_needed_the_client_raises_its_own_error(build, engine):
    with serving(build(auth="on")) as address:
        with (
            OpenAI(base_url=f"{address}/v1", api_key="wrong", max_retries=0) as stranger,
            pytest.raises(openai.AuthenticationError) as refused,
        ):
            stranger.chat.completions.create(model="xgtwin", messages=[QUESTION])
        assert "authentication_error" in str(refused.value.body)
        key = create_key(engine, "webui", [Scope.ASK])
        with OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0) as known:
            assert known.chat.completions.create(model="xgtwin", messages=[QUESTION]).choices
