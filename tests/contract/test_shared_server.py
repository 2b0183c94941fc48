"""A Qdrant server that others use too: what only bears a name like ours is not served, not continued, not dropped."""

from pathlib import Path

from qdrant_client import models

from shared.vector_store.generational_store import GenerationalStore
from shared.vector_store.qdrant import QdrantVectorStore
from shared.vector_store.qdrant_generations import QdrantGenerations
from tests.contract.stores import ENCODER, ORGANIZATION, ask, document, ingest, texts
from tests.contract.test_generations import LAMP, TOWER, WORDS, Unclosed, filled


def of(client: Unclosed, name: str) -> GenerationalStore:
    return GenerationalStore(QdrantGenerations(lambda: client, name, ENCODER.stems), WORDS, None)


def collections(client: Unclosed) -> set[str]:
    return {each.name for each in client.get_collections().collections}


def test_somebody_elses_collection_with_a_name_like_ours_is_left_alone(tmp_path: Path):
    client = Unclosed(path=str(tmp_path))
    client.create_collection("test-2024", models.VectorParams(size=4, distance=models.Distance.COSINE))
    for _ in range(2):
        store = of(client, "test")
        ingest(store, document(TOWER, name="torre"))
        assert not store.unfinished(WORDS)
        store.begin(WORDS)
        filled(store, "torre")
        store.swap()
        assert texts(store, ask("torre")) == [TOWER]
        assert collections(client) == {"test-2024", f"test-{store.number}"}


def test_an_installation_whose_name_ends_in_a_number_keeps_its_vectors_to_itself(tmp_path: Path):
    client = Unclosed(path=str(tmp_path))
    ingest(QdrantVectorStore(client, "lab-2", WORDS, ENCODER.stems), document(LAMP))  # of an earlier release
    lab = of(client, "lab")
    assert lab.count(ORGANIZATION) == 0
    lab.begin(WORDS)
    lab.swap()
    assert not lab.unfinished(WORDS)
    assert texts(of(client, "lab-2"), ask("lâmpada")) == [LAMP]


def test_a_bare_collection_that_is_not_ours_is_neither_served_nor_dropped(tmp_path: Path):
    client = Unclosed(path=str(tmp_path))
    client.create_collection("test", models.VectorParams(size=4, distance=models.Distance.COSINE))
    store = of(client, "test")
    store.begin(WORDS)
    store.swap()
    assert not store.unfinished(WORDS)
    assert collections(client) == {"test", f"test-{store.number}"}
