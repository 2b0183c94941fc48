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
        ({"model": "xgtwin", "messages": []}, 400, "bad_request"),
        ({"model": "xgtwin"}, 400, "bad_request"),
        ({"model": "xgtwin", "messages": [{"role": "assistant", "content": "Oi"}]}, 400, "no_question"),
        ({"model": "xgtwin", "messages": [{"role": "user", "content": "  "}]}, 422, "empty_question"),
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
