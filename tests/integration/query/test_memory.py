"""What a named visitor asked before is known in his next conversation, and only in his."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from query_service.conversations.memory import COLLECTION
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from tests.integration.query.library import LIBRARY
from tests.integration.query.servers import until
from tests.integration.query.test_language_model import number_of

FIRST = "Quem coordena o xGMobile?"
LATER = "Em que universidade o coordenador do xGMobile estudou?"
NOTE = "Asked in an earlier conversation: "


def ask(client: TestClient, question: str, **more: Any) -> Any:
    response = client.post("/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    return response.json()


def remembered() -> float:
    return REGISTRY.get_sample_value("xgtwin_afterwork_total", {"work": "memory", "result": "done"}) or 0


def told(client: TestClient, question: str, **more: Any) -> Any:
    """Ask, and wait until the exchange is remembered."""
    before = remembered()
    answer = ask(client, question, **more)
    until(lambda: remembered() > before)
    return answer


@pytest.fixture
def client(build, llm, model):
    """A client whose language model proves what it says."""
    with TestClient(build(llm=llm)) as client:
        model.script = ["."]
        ask(client, FIRST)
        model.script = [f"É o professor Luciano Leonel Mendes [{number_of(model.prompt, LIBRARY['inatel.md'][1])}]."]
        yield client


def test_what_a_visitor_asked_earlier_reaches_the_model_as_data_and_what_documents_said_does_not(client, model):
    told(client, FIRST, user="ana")
    ask(client, LATER, user="ana")
    notes = model.prompt.rpartition("<<memory")[2].partition("<<end memory")[0]
    assert notes.splitlines()[1:] == [NOTE + FIRST]


def test_nobody_else_is_told(client, model):
    told(client, FIRST, user="ana")
    for other in ({"user": "rui"}, {}):
        ask(client, LATER, **other)
        assert NOTE not in model.prompt


def test_a_deleted_conversation_is_forgotten(client, model):
    answer = told(client, FIRST, user="ana")
    client.delete(f"/conversations/{answer['conversation_id']}")
    ask(client, LATER, user="ana")
    assert NOTE not in model.prompt


def test_memory_can_be_turned_off(build, llm, model):
    with TestClient(build(llm=llm, query={"memory": "off"})) as client:
        model.script = ["Os documentos não dizem."]
        for _ in range(2):
            ask(client, FIRST, user="ana")
    assert NOTE not in model.prompt


def test_a_new_conversation_may_go_on_from_an_earlier_one(build):
    with TestClient(build()) as client:
        told(client, FIRST, user="ana")
        later = ask(client, "e onde o coordenador fez o doutorado dele?", user="ana")
    assert later["standalone_question"] == f"{FIRST} e onde o coordenador fez o doutorado dele?"
    assert "Unicamp" in later["answer"]


def test_a_memory_that_is_held_elsewhere_costs_no_answer(build, tmp_path):
    holder = open_store(Settings(data_dir=tmp_path, _env_file=None), None, collection=COLLECTION)
    try:
        with TestClient(build()) as client:
            answer = ask(client, FIRST, user="ana")
            assert client.delete(f"/conversations/{answer['conversation_id']}").status_code == 204
    finally:
        holder.close()
    assert answer["grounded"]
