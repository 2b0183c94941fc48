"""The Unity client's route: every field always there, every error in Portuguese."""

import json
from uuid import UUID

import pytest
from fastapi.testclient import TestClient


def perguntar(client: TestClient, **body):
    return client.post("/api/llm/perguntar", json=body)


def test_the_answer_has_exactly_the_fields_that_unity_reads_and_no_null(client):
    response = perguntar(client, pergunta="Quantas horas de atividades complementares são exigidas?")
    body = response.json()
    assert response.status_code == 200
    assert set(body) == {"resposta", "fontes", "conversa_id", "fundamentada"}
    assert set(body["fontes"][0]) == {"documento", "pagina", "trecho"}
    assert (body["fundamentada"], body["fontes"][0]["documento"], body["fontes"][0]["pagina"]) == (
        *(True, "regulamento.pdf", 2),
    )
    assert "120 horas" in body["resposta"]
    assert "null" not in response.text


def test_a_format_without_pages_has_page_zero(client):
    body = perguntar(client, pergunta="Quando o Inatel foi fundado?").json()
    assert {source["pagina"] for source in body["fontes"] if source["documento"] == "inatel.md"} == {0}


def test_a_refusal_has_no_sources_and_no_null(client):
    response = perguntar(client, pergunta="Qual a receita de bolo de cenoura?")
    assert (response.json()["fundamentada"], response.json()["fontes"]) == (False, [])
    assert "null" not in response.text


def test_a_conversation_continues_and_an_empty_id_starts_a_new_one(client):
    first = perguntar(client, pergunta="Quem coordena o xGMobile?", conversa_id="").json()
    second = perguntar(client, pergunta="E onde ele fez o doutorado?", conversa_id=first["conversa_id"]).json()
    assert second["conversa_id"] == first["conversa_id"]
    assert "Unicamp" in second["resposta"]
    assert perguntar(client, pergunta="O que é o 5G?").json()["conversa_id"] != first["conversa_id"]


WRONG = {
    "no body": (b"", 422, "JSON"),
    "a list": (b"[]", 422, "JSON"),
    "not utf-8": (b"\xff\xfe", 422, "JSON"),
    "no question": (b"{}", 422, "obrigatório"),
    "null": (b'{"pergunta": null}', 422, "obrigatório"),
    "a number": (b'{"pergunta": 3}', 422, "obrigatório"),
    "blank": (b'{"pergunta": "  "}', 422, "vazio"),
    "long": (json.dumps({"pergunta": "a" * 4001}).encode(), 422, "QUERY__MAX_QUESTION_CHARS"),
    "id of a number": (b'{"pergunta": "a", "conversa_id": 7}', 422, "conversa_id"),
    "no uuid": (b'{"pergunta": "a", "conversa_id": "7"}', 422, "identificador"),
    "unknown": (json.dumps({"pergunta": "a", "conversa_id": str(UUID(int=7))}).encode(), 404, "não existe"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_is_explained_in_portuguese(client, case):
    body, status, words = WRONG[case]
    response = client.post("/api/llm/perguntar", content=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert words in response.json()["detail"]


def test_a_missing_key_is_explained_in_portuguese(build):
    with TestClient(build(XGTWIN_AUTH="on")) as client:
        response = perguntar(client, pergunta="O que é o 5G?")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "chave" in response.json()["detail"]
