"""The same question over the same documents is answered once."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from shared.db.corpus import corpus_changed
from shared.models import DEFAULT_ORGANIZATION_ID
from tests.integration.query.library import LIBRARY, document_id
from tests.integration.query.test_language_model import number_of
from tests.redis_server import redis_server

QUESTION = "Quando o Inatel foi fundado?"


def ask(client: TestClient, question: str = QUESTION, **more: Any) -> Any:
    return client.post("/ask", json={"question": question, **more}).json()


def streamed(client: TestClient, question: str = QUESTION) -> list[tuple[str, Any]]:
    text = client.post("/ask", json={"question": question, "stream": True}).text
    fields = [line.split(": ", 1) for line in text.splitlines() if line.startswith(("event: ", "data: "))]
    names, bodies = ([value for name, value in fields if name == wanted] for wanted in ("event", "data"))
    return [(name, json.loads(body)) for name, body in zip(names, bodies, strict=True)]


def hits() -> float:
    return REGISTRY.get_sample_value("xgtwin_answer_cache_total", {"result": "hit"}) or 0


@pytest.fixture
def grounded(build, llm, model):
    """A client whose language model cites; what it says changes with every answer."""
    with TestClient(build(llm=llm)) as client:
        model.script = ["."]
        ask(client)
        n = number_of(model.prompt, LIBRARY["inatel.md"][0])
        model.script = [f"Foi fundado em 1965 [{n}]."]
        model.requests.clear()
        yield client


def test_the_model_is_asked_once_and_each_answer_is_kept_in_its_own_conversation(grounded, model):
    before = hits()
    first, second = ask(grounded), ask(grounded, f"  {QUESTION} ")
    assert (first["cached"], second["cached"]) == (False, True)
    assert len(model.requests) == 1
    assert hits() == before + 1
    own = ("conversation_id", "message_id")
    assert all(first[name] != second[name] for name in own)
    same = set(first) - {*own, "cached", "usage", "timings_ms"}
    assert {name: first[name] for name in same} == {name: second[name] for name in same}
    assert second["usage"]["total_tokens"] == 0
    kept = grounded.get(f"/conversations/{second['conversation_id']}/messages").json()["items"]
    assert kept[1]["citations"] == second["citations"]


def test_a_kept_answer_streams_the_same_events(grounded):
    fresh, again = streamed(grounded), streamed(grounded)
    assert [name for name, _ in again] == ["meta", "sources", "delta", "citation", "usage", "done"]
    for name in ("sources", "citation"):
        assert dict(again)[name] == dict(fresh)[name]
    assert dict(again)["done"]["answer"] == dict(again)["delta"]["text"] == dict(fresh)["done"]["answer"]


def test_other_documents_filters_or_numbers_of_passages_ask_again(grounded, engine, model):
    ask(grounded)
    ask(grounded, top_k=3)
    ask(grounded, filters={"document_ids": [str(document_id("inatel.md"))]})
    corpus_changed(engine, DEFAULT_ORGANIZATION_ID)
    assert ask(grounded)["cached"] is False
    assert len(model.requests) == 4


def test_a_follow_up_is_answered_anew(grounded, model):
    first = ask(grounded)
    again = ask(grounded, conversation_id=first["conversation_id"])
    assert again["cached"] is False


def test_an_answer_that_was_rated_down_is_written_anew(grounded, model):
    first = ask(grounded)
    assert ask(grounded)["cached"]
    grounded.post(f"/messages/{first['message_id']}/feedback", json={"rating": "down"})
    model.script = [model.script[0].replace("Foi fundado", "O Inatel foi fundado")]
    anew = ask(grounded)
    assert anew["cached"] is False
    assert anew["answer"].startswith("O Inatel")
    again = ask(grounded)
    assert (again["cached"], again["answer"]) == (True, anew["answer"])


def test_what_was_not_grounded_is_not_kept(build, llm, model):
    model.script = ["Os documentos não dizem isso."]
    with TestClient(build(llm=llm)) as client:
        assert [ask(client)["cached"] for _ in range(2)] == [False, False]
    model.status = 500
    with TestClient(build(llm=llm)) as client:
        fallen_back = [ask(client) for _ in range(2)]
    assert [(one["reason"], one["cached"]) for one in fallen_back] == [("llm_unavailable", False)] * 2


def test_the_cache_can_be_turned_off(build):
    with TestClient(build(query={"cache_entries": 0})) as client:
        assert [ask(client)["cached"] for _ in range(2)] == [False, False]


def test_replicas_give_each_others_answers_and_go_on_without_redis(build, llm, model, tmp_path):
    with redis_server(tmp_path / "redis") as redis:
        shared = {"llm": llm, "redis": {"url": redis.url}}
        with (
            TestClient(build(query={"port": 8000}, **shared)) as one,
            TestClient(build(query={"port": 8010}, **shared)) as other,
        ):
            model.script = ["."]
            ask(one)
            model.script = [f"Foi fundado em 1965 [{number_of(model.prompt, LIBRARY['inatel.md'][0])}]."]
            first = ask(one)
            again = ask(other)
            assert (first["cached"], again["cached"]) == (False, True)
            assert again["citations"] == first["citations"]
            redis.stop()
            alone = ask(other)
            assert (alone["grounded"], alone["cached"]) == (True, False)
