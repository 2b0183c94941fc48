"""Answers by a language model over real HTTP, and what happens when it does not do its part."""

import asyncio
import json
import re
import time
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from tests.integration.query.library import LIBRARY
from tests.integration.query.servers import ModelServer, serving, until

QUESTION = "Quando o Inatel foi fundado?"


def number_of(prompt: str, words: str) -> str:
    """The number of the passage that holds `words`."""
    found = re.search(r"\[(\d+)\] [^\n]*\n[^<]*" + re.escape(words), prompt)
    assert found
    return found[1]


def ask(client: TestClient, question: str = QUESTION, **more):
    return client.post("/ask", json={"question": question, **more})


def test_the_retrieved_passages_reach_the_model_and_its_citations_are_proved(build, llm, model):
    with TestClient(build(llm=llm)) as client:
        model.script = ["."]
        ask(client)
        n = number_of(model.prompt, LIBRARY["inatel.md"][0])
        model.script = ["O Inatel foi fundado", " em 1965 [", f"{n}] em Santa Rita [99]."]
        answer = ask(client).json()
        mode = client.get("/readyz").json()["mode"]
    assert answer["answer"] == f"O Inatel foi fundado em 1965 [{n}] em Santa Rita."
    assert (answer["grounded"], answer["reason"], answer["model"]) == (True, None, "scripted")
    (proof,) = answer["citations"]
    assert (proof["n"], proof["quote"]) == (int(n), "O Inatel foi fundado em 31 de março de 1965.")
    assert answer["usage"] == {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    assert answer["speech"] == "O Inatel foi fundado em 1965 em Santa Rita."
    assert mode == "scripted at " + model.url.split("/")[2]


def test_instructions_in_a_document_stay_between_the_delimiters(build, llm, model):
    model.script = ["Dois quilômetros."]
    with TestClient(build(llm=llm)) as client:
        ask(client, "Qual a área que a antena do campus cobre?")
    prompt = model.prompt
    fences = re.findall(r"<<(passage|end) (\d+) ([0-9a-f]{16})>>", prompt)
    assert len({mark for _, _, mark in fences}) == 1
    data = model.requests[-1]["messages"][-1]["content"]
    assert data.count("<<passage ") == data.count("<<end ") == data.count("<<") // 2 == len(fences) // 2
    (start,) = [match.end() for match in re.finditer(r"PWNED", prompt)]
    before, after = prompt[:start], prompt[start:]
    assert before.rfind("<<passage") > before.rfind("<<end")
    assert after.find("<<end") < (after.find("<<passage") if "<<passage" in after else len(after))


def test_an_answer_without_valid_citations_is_not_grounded(build, llm, model):
    model.script = ["Os documentos não dizem isso [42]."]
    with TestClient(build(llm=llm)) as client:
        answer = ask(client).json()
    assert (answer["grounded"], answer["reason"], answer["citations"]) == (False, "no_evidence", [])
    assert answer["answer"] == "Os documentos não dizem isso."


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("Foi fundado em 1972 por Albert Einstein [{n}].", "Os documentos não confirmam esta resposta."),
        ("Os documentos não respondem a essa pergunta [{n}].", "Os documentos não respondem a essa pergunta."),
    ],
)
def test_a_false_answer_and_a_refusal_are_not_grounded_and_not_given_again(build, llm, model, script, said):
    with TestClient(build(llm=llm, query={"cache_entries": 10})) as client:
        model.script = ["."]
        ask(client)
        model.script = [script.format(n=number_of(model.prompt, LIBRARY["inatel.md"][0]))]
        answer, again = ask(client).json(), ask(client).json()
        in_portuguese = client.post("/api/llm/perguntar", json={"pergunta": QUESTION}).json()
    assert (answer["grounded"], answer["reason"], again["cached"]) == (False, "no_evidence", False)
    assert answer["answer"].endswith(said)
    assert answer["speech"].endswith(said)
    assert in_portuguese["fundamentada"] is False


def test_an_answer_with_one_doubtful_sentence_is_grounded_but_not_given_again(build, llm, model):
    with TestClient(build(llm=llm, query={"cache_entries": 10})) as client:
        model.script = ["."]
        ask(client)
        n = number_of(model.prompt, LIBRARY["inatel.md"][0])
        model.script = [f"O Inatel foi fundado em 1965 [{n}]. Foi fundado por Albert Einstein [{n}]."]
        answer, again = ask(client).json(), ask(client).json()
    assert [sentence["supported"] for sentence in answer["sentences"]] == [True, False]
    assert (answer["grounded"], answer["reason"], again["cached"]) == (True, None, False)


def test_a_model_that_says_nothing_but_markers_leaves_the_answer_to_the_documents(build, llm, model):
    model.script = ["[9]", " [1]."]
    with TestClient(build(llm=llm)) as client:
        answer = ask(client).json()
    assert (answer["reason"], answer["model"]) == ("llm_unavailable", "extractive")
    assert "31 de março de 1965" in answer["answer"]


def test_the_earlier_turns_are_in_the_prompt(build, llm, model):
    model.script = ["É o professor Luciano [1]."]
    with TestClient(build(llm=llm)) as client:
        first = ask(client, "Quem coordena o xGMobile?").json()
        ask(client, "E onde ele fez o doutorado?", conversation_id=first["conversation_id"])
    roles = [message["role"] for message in model.requests[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert model.requests[-1]["messages"][1]["content"] == "Quem coordena o xGMobile?"
    assert "Unicamp" in model.prompt


def test_the_model_is_not_called_when_nothing_was_retrieved(build, llm, model):
    model.script = ["Invenção [1]."]
    with TestClient(build(llm=llm)) as client:
        answer = ask(client, "xyzzy qwrtpsdf").json()
    assert model.requests == []
    assert (answer["grounded"], answer["reason"], answer["model"]) == (False, "no_evidence", "extractive")


def unreachable(model: ModelServer) -> dict[str, object]:
    return {"base_url": "http://127.0.0.1:1/v1"}


def failing(model: ModelServer) -> dict[str, object]:
    model.status = 500
    return {}


def refusing(model: ModelServer) -> dict[str, object]:
    model.status = 401
    return {}


def hanging(model: ModelServer) -> dict[str, object]:
    model.script = [model.HANG]
    return {"first_token_s": 0.2}


def silent(model: ModelServer) -> dict[str, object]:
    model.script = []
    return {}


@pytest.mark.parametrize("misfortune", [unreachable, failing, refusing, hanging, silent])
def test_without_a_first_token_the_documents_answer_and_say_why(build, llm, model, misfortune):
    with TestClient(build(llm=llm | misfortune(model))) as client:
        answer = ask(client).json()
        refused = ask(client, "Quem venceu a copa do mundo de 1994 no centro?").json()
    assert (answer["grounded"], answer["reason"], answer["model"]) == (True, "llm_unavailable", "extractive")
    assert answer["answer"].startswith("O modelo de linguagem não respondeu;")
    assert "31 de março de 1965" in answer["answer"]
    assert answer["citations"]
    assert (refused["grounded"], refused["reason"]) == (False, "llm_unavailable")
    assert refused["answer"].startswith("O modelo de linguagem não respondeu. ")


def test_a_failure_after_the_first_token_is_a_problem_and_nothing_is_kept(build, llm, model):
    model.script = ["O Inatel foi ", model.DROP]
    with TestClient(build(llm=llm)) as client:
        response = ask(client)
        in_portuguese = client.post("/api/llm/perguntar", json={"pergunta": QUESTION})
        (newest, _) = client.get("/conversations").json()["items"]
        kept = client.get(f"/conversations/{newest['id']}/messages").json()["items"]
    assert (response.status_code, response.json()["code"]) == (503, "llm_interrupted")
    assert response.headers["retry-after"]
    assert "LLM__TIMEOUT_S" in response.json()["detail"]
    assert response.json()["partial"] == "O Inatel "
    assert "indisponível" in in_portuguese.json()["detail"]
    assert [message["role"] for message in kept] == ["user"]


def test_a_model_that_stops_talking_is_cut_off_at_the_deadline(build, llm, model):
    model.script = ["O Inatel foi ", model.HANG]
    with TestClient(build(llm=llm | {"timeout_s": 0.5, "first_token_s": 0.5})) as client:
        begun = time.monotonic()
        response = ask(client)
    assert response.status_code == 503
    assert time.monotonic() - begun < 5
    assert model.hung_up.wait(5)


def events_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    blocks = [block for block in text.replace("\r\n", "\n").split("\n\n") if "event: " in block]
    assert [re.findall(r"(?m)^id: (\d+)$", block)[0] for block in blocks] == [str(n + 1) for n in range(len(blocks))]
    return [
        (re.findall(r"(?m)^event: (.*)$", block)[0], json.loads(re.findall(r"(?m)^data: (.*)$", block)[0]))
        for block in blocks
    ]


def test_the_stream_tells_the_same_story_as_the_json_answer(build, llm, model):
    model.script = ["O Inatel ", "foi fundado ", "em 1965 [1]."]
    with TestClient(build(llm=llm)) as client:
        response = ask(client, stream=True)
    events = events_of(response.text)
    names = [name for name, _ in events]
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"
    assert names == ["meta", "sources", *["delta"] * 4, "citation", "usage", "done"]
    done = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "delta") == done["answer"]
    assert done["conversation_id"] == events[0][1]["conversation_id"]
    assert done["message_id"] == events[0][1]["message_id"]
    assert done["citations"] == [data for name, data in events if name == "citation"]
    assert events[1][1]["sources"][0]["n"] == 1


def test_a_failure_in_the_stream_is_an_error_event_with_a_problem(build, llm, model):
    model.script = ["O Inatel foi ", model.DROP]
    with TestClient(build(llm=llm)) as client:
        events = events_of(ask(client, stream=True).text)
    assert [name for name, _ in events] == ["meta", "sources", "delta", "error"]
    problem = events[-1][1]
    assert (problem["status"], problem["code"], problem["instance"]) == (503, "llm_interrupted", "/ask")
    assert problem["partial"] == events[2][1]["text"]


async def test_closing_the_socket_cancels_the_model_call(build, llm, model):
    model.script = ["O Inatel foi ", model.HANG]
    with serving(build(llm=llm | {"timeout_s": 60})) as url:
        async with (
            httpx.AsyncClient(timeout=10) as http,
            http.stream("POST", f"{url}/ask", json={"question": QUESTION, "stream": True}) as response,
        ):
            async for line in response.aiter_lines():
                if line.startswith("event: delta"):
                    break
            assert not model.hung_up.is_set()
        until(model.hung_up.is_set)


@pytest.mark.parametrize(
    ("path", "body"), [("/ask", {"question": QUESTION}), ("/api/llm/perguntar", {"pergunta": QUESTION})]
)
async def test_a_client_that_does_not_wait_for_its_json_cancels_the_model_call(build, llm, model, path, body):
    model.script = ["O Inatel foi ", model.HANG]
    with serving(build(llm=llm | {"timeout_s": 60})) as url:
        async with httpx.AsyncClient() as http:
            waiting = asyncio.create_task(http.post(url + path, json=body, timeout=60))
            await asyncio.to_thread(until, lambda: model.requests)
            assert not model.hung_up.is_set()
            waiting.cancel()
        await asyncio.to_thread(until, model.hung_up.is_set)


async def test_a_client_that_leaves_while_a_follow_up_is_understood_cancels_the_model_call(build, llm, model):
    model.script = ["Foi em 1965."]
    with serving(build(llm=llm | {"rewrite_s": 60, "first_token_s": 60, "timeout_s": 60})) as url:
        async with httpx.AsyncClient(timeout=60) as http:
            first = await http.post(f"{url}/ask", json={"question": QUESTION})
            model.script = [model.HANG]
            follow_up = {"question": "e onde?", "stream": True, "conversation_id": first.json()["conversation_id"]}
            waiting = asyncio.create_task(http.post(f"{url}/ask", json=follow_up))
            await asyncio.to_thread(until, lambda: len(model.requests) == 2)
            assert not model.hung_up.is_set()
            waiting.cancel()
        await asyncio.to_thread(until, model.hung_up.is_set)


def test_streams_are_kept_alive_while_the_model_thinks(build, llm, model, monkeypatch):
    monkeypatch.setattr("query_service.api.sse.HEARTBEAT_S", 0.05)
    model.script = [model.HANG]
    with TestClient(build(llm=llm | {"first_token_s": 0.5})) as client:
        response = ask(client, stream=True)
    assert ": ping" in response.text
    assert events_of(response.text)[-1][0] == "done"
