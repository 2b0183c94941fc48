"""Which store the settings open, and what they say when it cannot be."""

from pathlib import Path

import pytest

from shared.errors import Conflict, Unavailable
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.settings import Settings, StoreSettings
from shared.vector_store.bootstrap import open_store
from tests.contract.stores import ask, document, ingest, texts


def settings(tmp_path: Path, **store: object) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, store=StoreSettings.model_validate(store))


class EightNumbers:
    """As much of an embedder as a store asks for."""

    name, dimension = "test/eight", 8


def test_the_default_store_lives_in_the_data_folder(tmp_path: Path):
    store = open_store(settings(tmp_path), None)
    ingest(store, document("A torre do campus."))
    store.close()
    assert (tmp_path / "vectors" / "xgtwin" / "1" / "fingerprint.json").is_file()
    store = open_store(settings(tmp_path), None)
    assert texts(store, ask("torres")) == ["A torre do campus."]
    store.close()


def test_collections_are_apart(tmp_path: Path):
    first, second = (open_store(settings(tmp_path, collection=name), None) for name in ("first", "second"))
    ingest(first, document("A torre do campus."))
    assert second.count(DEFAULT_ORGANIZATION_ID, published=None) == 0
    first.close()
    second.close()


def test_an_embedding_model_that_comes_later_finds_what_was_stored_by_words(tmp_path: Path):
    store = open_store(settings(tmp_path), None)
    ingest(store, document("A torre do campus."))
    store.close()
    store = open_store(settings(tmp_path), EightNumbers())  # type: ignore[arg-type]
    assert texts(store, ask("torres", dense=(1.0,) * 8)) == ["A torre do campus."]
    assert store.fingerprint.model is None
    store.close()


def test_a_server_that_is_not_there_is_unavailable_naming_the_setting(tmp_path: Path):
    with pytest.raises(Unavailable, match="STORE__QDRANT_URL"):
        open_store(settings(tmp_path, qdrant_url="http://127.0.0.1:9"), None)
    assert not (tmp_path / "vectors").exists()


def test_asking_for_a_server_without_naming_it_is_an_error(tmp_path: Path):
    with pytest.raises(Unavailable, match="STORE__QDRANT_URL"):
        open_store(settings(tmp_path, kind="qdrant"), None)


def test_damaged_vectors_are_set_aside_and_the_store_opens_empty(tmp_path: Path):
    store = open_store(settings(tmp_path), None)
    ingest(store, document("A torre do campus."))
    store.close()
    for state in (tmp_path / "vectors").glob("*/*/segments/*/segment.json"):
        state.write_text("")
    store = open_store(settings(tmp_path), None)
    assert store.count(DEFAULT_ORGANIZATION_ID) == 0
    ingest(store, document("A torre do campus."))
    store.close()
    assert (tmp_path / "vectors" / "xgtwin" / "1.damaged").is_dir()
    store = open_store(settings(tmp_path), None)
    assert store.count(DEFAULT_ORGANIZATION_ID) == 1
    store.close()


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path):
    photo = tmp_path / "vectors" / "xgtwin" / "photo.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"dear to somebody")
    with pytest.raises(Conflict, match="STORE__COLLECTION"):
        open_store(settings(tmp_path), None)
    assert photo.read_bytes() == b"dear to somebody"
