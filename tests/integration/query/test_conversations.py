"""Conversations and feedback over HTTP."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

QUESTION = "Quando o Inatel foi fundado?"


def ask(client: TestClient, question: str = QUESTION, **more: Any) -> Any:
    response = client.post("/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    return response.json()


def messages(client: TestClient, conversation: str) -> Any:
    return client.get(f"/conversations/{conversation}/messages").json()["items"]


def test_a_conversation_is_made_read_and_renamed(client):
    made = client.post("/conversations", json={"title": "Visita do\ncolégio"})
    assert made.status_code == 201
    assert made.headers["location"] == f"/conversations/{made.json()['id']}"
    ask(client, conversation_id=made.json()["id"])
    read = client.get(made.headers["location"]).json()
    assert read["title"] == "Visita do colégio"
    assert read["updated_at"] > read["created_at"]
    renamed = client.patch(made.headers["location"], json={"title": "Turma B"})
    assert renamed.json()["title"] == client.get("/conversations").json()["items"][0]["title"] == "Turma B"


@pytest.mark.parametrize(
    "body", [{}, {"title": ""}, {"title": " \n"}, {"title": "\x00"}, {"title": "a" * 501}, {"titel": "a"}]
)
def test_a_title_must_be_one(client, body):
    conversation = client.post("/conversations", json={}).json()["id"]
    assert client.patch(f"/conversations/{conversation}", json=body).status_code == 422


def test_control_characters_are_not_kept(client):
    """PostgreSQL refuses NUL in a text."""
    answer = ask(client)
    route = f"/conversations/{answer['conversation_id']}"
    assert client.patch(route, json={"title": "Visita\x00do colégio"}).json()["title"] == "Visita do colégio"
    assert client.post("/conversations", json={"title": "a\x00b"}).json()["title"] == "a b"
    said = {"rating": "down", "comment": "Faltou\x00o dia.", "expected": "31\x08de março"}
    kept = client.post(f"/messages/{answer['message_id']}/feedback", json=said).json()
    assert (kept["comment"], kept["expected"]) == ("Faltou o dia.", "31 de março")


def test_an_unknown_conversation_can_be_neither_read_nor_renamed(client):
    assert client.get(f"/conversations/{uuid4()}").status_code == 404
    assert client.patch(f"/conversations/{uuid4()}", json={"title": "a"}).status_code == 404


def test_lists_are_narrowed_to_a_user_who_is_never_shown(client):
    made = client.post("/conversations", json={"user": "ana"}).json()
    asked = ask(client, user="ana")
    ask(client, user="rui")
    hers = client.get("/conversations", params={"user": "ana"}).json()["items"]
    assert {row["id"] for row in hers} == {made["id"], asked["conversation_id"]}
    assert set(hers[0]) == {"id", "title", "created_at", "updated_at"}
    other = {"question": "E onde fica?", "conversation_id": asked["conversation_id"], "user": "rui"}
    assert client.post("/ask", json=other).status_code == 404


def test_the_user_of_the_portuguese_route_is_kept_as_well(client):
    answer = client.post("/api/llm/perguntar", json={"pergunta": QUESTION, "usuario": "ana"}).json()
    assert set(answer) == {"resposta", "fontes", "conversa_id", "fundamentada"}
    (row,) = client.get("/conversations", params={"user": "ana"}).json()["items"]
    assert row["id"] == answer["conversa_id"]
    long = client.post("/api/llm/perguntar", json={"pergunta": QUESTION, "usuario": "a" * 129})
    assert long.status_code == 422
    assert "limite é de 128" in long.json()["detail"]
    half = client.post("/api/llm/perguntar", content=b'{"pergunta": "a", "usuario": "\\ud800"}')
    assert half.status_code == 422


def test_feedback_is_kept_with_the_answer_and_replaced_by_a_second_opinion(client):
    answer = ask(client)
    route = f"/messages/{answer['message_id']}/feedback"
    first = {"rating": "down", "comment": "Faltou o dia.", "expected": "31 de março de 1965"}
    assert client.post(route, json=first).status_code == 200
    client.post(route, json={"rating": -1, "user": "rui"})
    client.post(route, json={"rating": "up"})
    question, reply = messages(client, answer["conversation_id"])
    assert question["feedback"] == []
    assert [(one["rating"], one["comment"]) for one in reply["feedback"]] == [("up", None), ("down", None)]


def test_the_same_feedback_twice_is_one(client):
    answer = ask(client)
    before = REGISTRY.get_sample_value("xgtwin_feedback_total", {"rating": "up"}) or 0
    for _ in range(2):
        client.post(f"/messages/{answer['message_id']}/feedback", json={"rating": 1, "comment": "Certo."})
    (one,) = messages(client, answer["conversation_id"])[1]["feedback"]
    assert (one["rating"], one["comment"]) == ("up", "Certo.")
    assert REGISTRY.get_sample_value("xgtwin_feedback_total", {"rating": "up"}) == before + 1


def test_only_an_answer_that_can_be_seen_is_rated(client):
    answer = ask(client)
    question = messages(client, answer["conversation_id"])[0]
    for unknown in (uuid4(), question["id"]):
        refused = client.post(f"/messages/{unknown}/feedback", json={"rating": "up"})
        assert (refused.status_code, refused.json()["code"]) == (404, "answer_not_found")
    client.delete(f"/conversations/{answer['conversation_id']}")
    assert client.post(f"/messages/{answer['message_id']}/feedback", json={"rating": "up"}).status_code == 404


@pytest.mark.parametrize("body", [{}, {"rating": "good"}, {"rating": 2}, {"rating": "up", "coment": "a"}])
def test_wrong_feedback_is_refused(client, body):
    answer = ask(client)
    assert client.post(f"/messages/{answer['message_id']}/feedback", json=body).status_code == 422
