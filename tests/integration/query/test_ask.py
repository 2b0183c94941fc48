"""Questions over the real store, without a language model."""

import json
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from tests.integration.query.library import LIBRARY, document_id
from tests.integration.query.servers import serving

ANSWERABLE = {
    "Quando o Inatel foi fundado?": ("31 de março de 1965", "inatel.md"),
    "Quem coordena o xGMobile?": ("Luciano Leonel Mendes", "inatel.md"),
    "Quantas horas de atividades complementares são exigidas?": ("120 horas", "regulamento.pdf"),
    "O que é o eMBB?": ("banda larga móvel", "guia-5g.pdf"),
    "qual a frequencia minima exigida nas aulas": ("75 %", "regulamento.pdf"),
    "Quando a faixa de 3,5 GHz foi leiloada?": ("novembro de 2021", "guia-5g.pdf"),
    "quando a matricla deve ser renovda?": ("a cada semestre", "regulamento.pdf"),
}
OFF_TOPIC = [
    "Qual a receita de bolo de cenoura?",
    "Quem venceu a copa do mundo de 1994?",
    "Qual a capital da Mongólia?",
]
PROBLEM_KEYS = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}


def ask(client: TestClient, question: str, **more):
    response = client.post("/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("question", ANSWERABLE)
def test_a_question_is_answered_with_document_page_and_literal_quote(client, question):
    words, document = ANSWERABLE[question]
    answer = ask(client, question)
    assert words in answer["answer"]
    assert (answer["grounded"], answer["reason"], answer["model"]) == (True, None, "extractive")
    proof = next(proof for proof in answer["citations"] if words in proof["quote"])
    assert proof["filename"] == document
    assert any(proof["quote"] in text for text in LIBRARY[document])
    assert f"[{proof['n']}]" in answer["answer"]
    assert (proof["page_start"] is None) == document.endswith(".md")
    assert proof["url"].startswith(f"http://127.0.0.1:1/documents/{document_id(document)}/content")
    assert "[" not in answer["speech"]


@pytest.mark.parametrize("question", OFF_TOPIC)
def test_a_question_beside_the_library_is_refused_with_a_reason(client, question):
    answer = ask(client, question)
    assert (answer["grounded"], answer["citations"]) == (False, [])
    assert answer["reason"] in {"low_score", "no_evidence"}
    assert "documento" in answer["answer"]


def test_the_refusal_speaks_the_language_of_the_question(client):
    assert "documents" in ask(client, "Who won the chess championship in Iceland?")["answer"]


def test_the_answer_object_has_exactly_the_fields_of_the_contract(client):
    answer = ask(client, "Quando o Inatel foi fundado?")
    assert set(answer) == {
        *("answer", "grounded", "reason", "citations", "conversation_id", "message_id", "model", "usage"),
        *("timings_ms", "speech", "standalone_question", "sentences", "cached"),
    }
    assert set(answer["citations"][0]) == {
        *("n", "document_id", "version", "title", "filename", "page_start", "page_end", "heading_path", "quote"),
        *("score", "url"),
        "page_image",  # beyond the contract
    }


def test_an_empty_library_says_so(build, tmp_path):
    store = open_store(Settings(data_dir=tmp_path / "empty", _env_file=None), None)
    try:
        with TestClient(build(over=store)) as client:
            answer = ask(client, "O que é o 5G?")
            assert client.get("/readyz").json()["chunks"] == 0
    finally:
        store.close()
    assert answer["reason"] == "no_evidence"
    assert "Ainda não há documentos" in answer["answer"]


def test_documents_that_are_still_being_read_are_named(build):
    ingest = FastAPI()
    asked = []

    @ingest.get("/documents")
    def documents(status: str, limit: int):
        asked.append((status, limit))
        return {"items": [{"id": str(uuid4()), "name": "bolos.pdf", "status": "parsing"}], "next_cursor": None}

    with serving(ingest) as url, TestClient(build(ingest={"url": url})) as client:
        refused = ask(client, "Qual a receita de bolo de cenoura?")
        answered = ask(client, "Quando o Inatel foi fundado?")
    assert (refused["grounded"], refused["reason"]) == (False, "pending_documents")
    assert "bolos.pdf" in refused["answer"]
    assert answered["grounded"]
    assert len(asked) == 1


def test_filters_keep_the_answer_to_the_chosen_documents(client):
    chosen = {"document_ids": [str(document_id("guia-5g.pdf"))]}
    answer = ask(client, "Quando o Inatel foi fundado?", filters=chosen)
    assert not answer["grounded"]
    found = client.post("/search", json={"query": "O que é o 5G?", "filters": chosen}).json()["results"]
    assert {result["filename"] for result in found} == {"guia-5g.pdf"}


def test_search_gives_the_passages_best_first(client):
    response = client.post("/search", json={"query": "frequência mínima nas aulas", "top_k": 3})
    results = response.json()["results"]
    assert set(results[0]) == {
        *("document_id", "filename", "page_start", "page_end", "heading_path", "text", "score"),
    }
    assert results[0]["text"] == LIBRARY["regulamento.pdf"][2]
    assert (results[0]["page_start"], len(results) <= 3) == (3, True)
    assert [result["score"] for result in results] == sorted((r["score"] for r in results), reverse=True)


def test_a_follow_up_is_understood_from_the_question_before(client):
    first = ask(client, "Quem coordena o xGMobile?")
    second = ask(client, "E onde ele fez o doutorado?", conversation_id=first["conversation_id"])
    assert second["conversation_id"] == first["conversation_id"]
    assert "doutor pela Unicamp" in second["answer"]
    assert first["standalone_question"] is None
    assert second["standalone_question"] == "Quem coordena o xGMobile? E onde ele fez o doutorado?"
    messages = client.get(f"/conversations/{first['conversation_id']}/messages").json()["items"]
    assert [
        (message["content"], message["standalone_question"]) for message in messages if message["role"] == "user"
    ] == [
        ("Quem coordena o xGMobile?", None),
        ("E onde ele fez o doutorado?", second["standalone_question"]),
    ]


def test_a_conversation_is_listed_read_and_deleted(client):
    answer = ask(client, "Quando o Inatel foi fundado?")
    conversation = answer["conversation_id"]
    (listed,) = client.get("/conversations").json()["items"]
    assert (listed["id"], listed["title"]) == (conversation, "Quando o Inatel foi fundado?")
    question, reply = client.get(f"/conversations/{conversation}/messages").json()["items"]
    assert (question["role"], question["content"]) == ("user", "Quando o Inatel foi fundado?")
    assert (reply["id"], reply["content"], reply["citations"]) == (
        *(answer["message_id"], answer["answer"], answer["citations"]),
    )
    assert client.delete(f"/conversations/{conversation}").status_code == 204
    assert client.get("/conversations").json() == {"items": [], "next_cursor": None}
    assert client.get(f"/conversations/{conversation}/messages").status_code == 404
    assert client.delete(f"/conversations/{conversation}").status_code == 404


WRONG = {
    "no body": (None, 422, "/docs"),
    "no question": ({}, 422, "question"),
    "a number": ({"question": 3}, 422, "question"),
    "empty": ({"question": ""}, 422, "words"),
    "blank": ({"question": " \n\t "}, 422, "words"),
    "long": ({"question": "a" * 4001}, 422, "QUERY__MAX_QUESTION_CHARS"),
    "no uuid": ({"question": "a", "conversation_id": "7"}, 422, "conversation_id"),
    "unknown conversation": ({"question": "a", "conversation_id": str(UUID(int=7))}, 404, "Leave conversation_id out"),
    "unknown conversation, streamed": (
        {"question": "a", "conversation_id": str(UUID(int=7)), "stream": True},
        404,
        "Leave conversation_id out",
    ),
    "top_k 0": ({"question": "a", "top_k": 0}, 422, "top_k"),
    "top_k 51": ({"question": "a", "top_k": 51}, 422, "top_k"),
    "unknown filter": ({"question": "a", "filters": {"lang": "pt"}}, 422, "document_ids"),
    "half a character as a filter": ({"question": "a", "filters": {"\ud800": 1}}, 422, "document_ids"),
    "filter of no ids": ({"question": "a", "filters": {"document_ids": ["x"]}}, 422, "document_ids"),
    "misspelt field": ({"question": "a", "conversationId": "x"}, 422, "conversationId"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_gets_a_problem_that_says_what_to_do(client, case):
    body, status, words = WRONG[case]
    content = json.dumps(body) if body is not None else None
    response = client.post("/ask", content=content, headers={"content-type": "application/json"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert set(response.json()) == PROBLEM_KEYS
    assert words in response.json()["detail"]
    assert client.get("/conversations").json()["items"] == []


@pytest.mark.parametrize("question", ["\x00O que é o 5G?", "O que \ud800 é o 5G?", "O que é o 5G? " + "🛰️" * 50])
def test_odd_characters_do_no_harm(client, question):
    response = client.post(
        "/ask", content=json.dumps({"question": question}), headers={"content-type": "application/json"}
    )
    assert response.status_code == 200
    assert "quinta geração" in response.json()["answer"]


def test_an_enormous_body_is_refused_before_it_is_read(client):
    response = client.post("/ask", json={"question": "a" * 5_000_000})
    assert response.status_code == 413
    assert "QUERY__MAX_QUESTION_CHARS" in response.json()["detail"]


def test_readiness_tells_mode_and_chunks(client):
    body = client.get("/readyz").json()
    assert (body["status"], body["mode"]) == ("ready", "extractive (no LLM configured)")
    assert body["chunks"] == sum(len(passages) for passages in LIBRARY.values())


def test_a_question_in_other_words_is_refused_but_shown_the_nearest_passage_without_a_claim(client):
    answer = ask(client, "Qual frequência mínima das aulas livra um discente ausente da reprovação sumária?")
    assert (answer["grounded"], answer["reason"]) == (False, "low_score")
    assert answer["answer"].startswith("Não encontrei uma resposta segura nos documentos.")
    assert "75 %" in answer["answer"]
    assert answer["citations"][0]["filename"] == "regulamento.pdf"


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("oi", "Olá!"),
        ("obrigado!", "De nada!"),
        ("quem é você?", "Sou o assistente"),
        ("Hello!", "Hello!"),
        ("e aí, qual é a boa?", "Olá!"),
    ],
)
def test_a_courtesy_is_answered_with_one_and_claims_no_proof(client, said, reply):
    answer = ask(client, said)
    assert answer["answer"].startswith(reply)
    assert (answer["grounded"], answer["reason"], answer["citations"]) == (False, "no_evidence", [])
