"""The retriever over the real store: other words, misspelt words, weights."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from query_service.retrieval.glossary import SHIPPED, read_glossary
from query_service.retrieval.retriever import Retriever
from query_service.words.terms import WordReader
from shared.embeddings.lexical import LexicalEncoder
from shared.errors import Unavailable
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.part_settings import RetrievalSettings
from shared.vector_store.protocol import VectorStore
from tests.integration.query.conftest import Build

encoder = LexicalEncoder()
reader = WordReader(encoder.stems)
GLOSSARY = read_glossary(SHIPPED, reader.words)


def first(store: VectorStore, question: str, *, other_words: bool = True, **config: float) -> str:
    """The best passage's text; empty when nothing is found."""
    glossary = GLOSSARY if other_words else None
    retriever = Retriever(store, lambda: None, encoder, reader, RetrievalSettings(**config), glossary=glossary)
    passages = retriever.retrieve(DEFAULT_ORGANIZATION_ID, question, 3).passages
    return passages[0].chunk.text if passages else ""


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When must a student renew the enrollment?", "matrícula"),
        ("What is the delay?", "latência"),
    ],
)
def test_a_question_finds_the_passage_that_says_it_in_the_other_language(store: VectorStore, question, answer):
    assert answer not in first(store, question, other_words=False)
    assert answer in first(store, question)


def test_a_glossary_weight_of_zero_leaves_it_out(store: VectorStore):
    question = "When must a student renew the enrollment?"
    assert first(store, question, glossary_weight=0, glossary_unknown_weight=0) == first(
        store, question, other_words=False
    )


def test_a_misspelt_question_finds_what_the_right_one_does(store: VectorStore):
    wrong, right = "quando se rneova a matrcula do smestre?", "quando se renova a matrícula do semestre?"
    assert first(store, wrong) == first(store, right) != ""


def test_a_broken_glossary_stops_the_start_and_an_empty_one_is_fine(build: Build, tmp_path: Path):
    file = tmp_path / "glossary.txt"
    file.write_text("[terms]\ngNB\n")
    with pytest.raises(Unavailable, match="Line 2"):
        build(retrieval={"glossary": file})
    file.write_text("")
    with TestClient(build(retrieval={"glossary": file})) as client:
        results = client.post("/search", json={"query": "o coordenador do xGMobile"}).json()["results"]
    assert "coordenador" in results[0]["text"]
