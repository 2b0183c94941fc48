"""A language model reads what stands beside a passage; nobody else pays for it."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from query_service.retrieval.surroundings import surroundings
from shared.models import ScoredChunk
from shared.vector_store.protocol import VectorStore
from tests.contract.stores import document, edge_installation, ingest
from tests.integration.query.conftest import Build
from tests.integration.query.servers import ModelServer


@pytest.fixture
def shelf(tmp_path: Path):
    installation = edge_installation(tmp_path)
    yield installation.open()
    installation.close()


def test_a_neighbour_is_shown_without_what_the_passage_holds(shelf: VectorStore):
    one, two, three = document("Um. Dois.", "Dois. Três.", "Três. Quatro.")
    two = two.model_copy(update={"start": 4, "end": 15})
    three = three.model_copy(update={"start": 10, "end": 23})
    ingest(shelf, [one, two, three])
    (around,) = surroundings([ScoredChunk(chunk=two, score=1)], shelf)
    assert (around.before, around.after) == ("Um.", "Quatro.")


def test_the_text_between_two_passages_is_shown_once_and_passages_never(shelf: VectorStore):
    chunks = document("Um.", "Dois.", "Três.", "Quatro.", "Cinco.")
    ingest(shelf, chunks)
    found = [ScoredChunk(chunk=chunks[n], score=1) for n in (1, 3, 4)]
    assert [(a.before, a.after) for a in surroundings(found, shelf)] == [("Um.", "Três."), ("", ""), ("", "")]


def test_the_prompt_holds_the_neighbours_of_a_passage(build: Build, model: ModelServer, llm):
    model.script = ["É o professor Luciano [1]."]
    question = {"question": "Quem é o coordenador do xGMobile?", "top_k": 1}
    with TestClient(build(llm=llm)) as client:
        client.post("/ask", json=question)
    with TestClient(build(llm=llm, retrieval={"neighbours": False})) as client:
        client.post("/ask", json=question)
    wide, narrow = (str(request["messages"][-1]["content"]) for request in model.requests)
    for beside in ("O Inatel foi fundado em 31 de março de 1965.", "O centro recebeu um investimento"):
        assert beside in wide
        assert beside not in narrow
