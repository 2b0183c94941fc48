"""Keys, organizations and metrics."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from sqlmodel import Session, select

from shared.auth.keys import Scope, create_key
from shared.auth.tables import ApiKey, Organization

ROUTES = [
    ("POST", "/ask"),
    ("POST", "/search"),
    ("POST", "/api/llm/perguntar"),
    ("POST", "/v1/chat/completions"),
    ("GET", "/v1/models"),
    ("GET", "/conversations"),
    ("POST", "/conversations"),
    ("GET", "/conversations/00000000-0000-0000-0000-000000000007"),
    ("PATCH", "/conversations/00000000-0000-0000-0000-000000000007"),
    ("POST", "/messages/00000000-0000-0000-0000-000000000007/feedback"),
    ("GET", "/conversations/00000000-0000-0000-0000-000000000007/messages"),
    ("DELETE", "/conversations/00000000-0000-0000-0000-000000000007"),
]


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_every_route_asks_for_a_key_that_may_ask(build, engine, method, route):
    body: dict[str, Any] = {"json": {"question": "a", "query": "a", "pergunta": "a"}} if method == "POST" else {}
    wrong = create_key(engine, "ingest only", [Scope.INGEST])
    with TestClient(build(XGTWIN_AUTH="on")) as client:
        assert client.request(method, route, **body).status_code == 401
        assert client.request(method, route, headers={"X-API-Key": wrong}, **body).status_code == 403


@pytest.mark.parametrize("body", ["{not json", "[]", '{"questin": 3}', ""])
@pytest.mark.parametrize("route", ["/ask", "/search", "/api/llm/perguntar", "/v1/chat/completions"])
def test_without_a_key_nothing_is_said_about_the_body(build, route, body):
    with TestClient(build(XGTWIN_AUTH="on")) as client:
        response = client.post(route, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 401


def test_an_organization_sees_its_own_passages_and_conversations_only(build, engine, store):
    key = create_key(engine, "ours", [Scope.ASK])
    theirs = create_key(engine, "theirs", [Scope.ASK])
    with Session(engine) as session:
        other = Organization(name="outra")
        session.add(other)
        session.flush()
        row = session.exec(select(ApiKey).where(ApiKey.name == "theirs")).one()
        row.organization_id = other.id
        session.commit()
    with TestClient(build(XGTWIN_AUTH="on")) as client:
        asked = {"question": "Quando o Inatel foi fundado?"}
        mine = client.post("/ask", json=asked, headers={"Authorization": f"Bearer {key}"}).json()
        foreign = client.post("/ask", json=asked, headers={"X-API-Key": theirs}).json()
        reach = {"question": "E onde fica?", "conversation_id": mine["conversation_id"]}
        taken = client.post("/ask", json=reach, headers={"X-API-Key": theirs})
        listed = client.get("/conversations", headers={"X-API-Key": theirs}).json()["items"]
    assert mine["grounded"]
    assert (foreign["grounded"], foreign["reason"]) == (False, "no_evidence")
    assert taken.status_code == 404
    assert [conversation["id"] for conversation in listed] == [foreign["conversation_id"]]


def test_answers_are_counted_by_author_and_verdict(client):
    labels = {"model": "extractive", "grounded": "true", "reason": ""}
    before = REGISTRY.get_sample_value("xgtwin_answers_total", labels) or 0
    client.post("/ask", json={"question": "Quando o Inatel foi fundado?"})
    assert REGISTRY.get_sample_value("xgtwin_answers_total", labels) == before + 1


def test_a_store_that_does_not_answer_is_a_503_that_says_so(build, tmp_path):
    from shared.errors import Unavailable
    from shared.vector_store.fingerprint import Fingerprint

    class Gone:
        number, filling, made_with = 1, None, Fingerprint(lexical="lex")

        def search(self, *_):
            raise Unavailable("The vector store does not answer.", retry_after=3)

        term_counts = count = search

        def ping(self):
            raise Unavailable("The vector store does not answer.")

    with TestClient(build(over=Gone())) as client:
        response = client.post("/ask", json={"question": "O que é o 5G?"})
        unity = client.post("/api/llm/perguntar", json={"pergunta": "O que é o 5G?"})
        ready = client.get("/readyz")
    assert (response.status_code, response.headers["retry-after"]) == (503, "3")
    assert "indisponível" in unity.json()["detail"]
    assert ready.status_code == 503
    assert ready.json()["checks"]["vector_store"] == "The vector store does not answer."


@pytest.mark.parametrize("path", ["/search", "/ask"])
@pytest.mark.parametrize(
    "filters",
    [
        '{"collections": ["\\ud800"]}',
        '{"languages": ["\\ud800"]}',
        '{"metadata": {"curso": "\\udfff"}}',
        '{"metadata": {"curso": ["\\udfff"]}}',
        '{"metadata": {"\\ud800": "x"}}',
        '{"metadata": {"curso": []}}',
    ],
)
def test_filters_that_nothing_can_meet_are_refused(client, path, filters):
    field = path[1:].replace("search", "query").replace("ask", "question")
    body = f'{{"{field}": "O que é o 5G?", "filters": {filters}}}'.encode()
    response = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert "filters" in response.json()["detail"]
