"""Which store the settings open, and what they say when it cannot be."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import Conflict, Unavailable
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.part_settings import StoreSettings
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store, open_words
from shared.vector_store.fingerprint import Fingerprint
from tests.contract.stores import NewDatabase, ask, document, ingest, texts


def settings(tmp_path: Path, **store: object) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, store=StoreSettings.model_validate(store))


ROOT = Path(__file__).parents[2]


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


def test_vectors_live_in_the_database_of_the_tables_unless_they_have_one_of_their_own(
    tmp_path: Path, new_database: NewDatabase
):
    own = settings(tmp_path, kind="pgvector", pgvector_url=new_database())
    for chosen in (own, settings(tmp_path, kind="pgvector").model_copy(update={"database_url": new_database()})):
        store = open_store(chosen, None)
        assert store.count(DEFAULT_ORGANIZATION_ID) == 0
        ingest(store, document("A torre do campus."))
        store.close()
        store = open_store(chosen, None)
        assert texts(store, ask("torres")) == ["A torre do campus."]
        store.close()
    assert not (tmp_path / "vectors").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [("", "neither"), ("sqlite:///x.db", "neither"), ("postgresql://nobody@127.0.0.1:9/none", "does not do")],
)
def test_pgvector_without_a_database_is_unavailable_naming_the_setting(tmp_path: Path, url: str, said: str):
    with pytest.raises(Unavailable, match="STORE__PGVECTOR_URL") as refused:
        open_store(settings(tmp_path, kind="pgvector", pgvector_url=url), None)
    assert said in refused.value.detail


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


WITHOUT_FILES = """
import resource, sys
from pathlib import Path
from shared.errors import Unavailable
from shared.vector_store.bootstrap import open_store
from tests.contract.test_open_store import settings
import shared.vector_store.edge_generations, qdrant_edge

for files in range(3, 40):
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, 1024))
    try:
        open_store(settings(Path(sys.argv[1])), None).close()
    except Unavailable as error:
        if "Too many open files" not in error.detail:
            raise
"""


def test_vectors_that_cannot_be_opened_for_a_passing_reason_are_not_called_damaged(tmp_path: Path):
    store = open_store(settings(tmp_path), None)
    ingest(store, document("A torre do campus."))
    store.close()
    command = [sys.executable, "-c", WITHOUT_FILES, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    store = open_store(settings(tmp_path), None)
    assert texts(store, ask("torres")) == ["A torre do campus."]
    store.close()


def test_what_was_set_aside_stays_until_something_else_is(tmp_path: Path):
    store = open_store(settings(tmp_path), None)
    store.close()
    folder = tmp_path / "vectors" / "xgtwin"
    (folder / "1").rename(folder / "1.damaged")  # as if the process died just after
    store = open_store(settings(tmp_path), None)
    assert (store.number, (folder / "1.damaged").is_dir()) == (2, True)
    store.close()


def test_a_file_managers_leavings_are_no_reason_not_to_open(tmp_path: Path):
    open_store(settings(tmp_path), None).close()
    (tmp_path / "vectors" / "xgtwin" / ".DS_Store").write_bytes(b"icons")
    open_store(settings(tmp_path), None).close()


def test_a_shard_of_an_earlier_release_that_does_not_say_what_it_is_is_set_aside(tmp_path: Path):
    open_store(settings(tmp_path), None).close()
    folder = tmp_path / "vectors" / "xgtwin"
    (folder / "1").rename(tmp_path / "flat")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    (tmp_path / "flat").rename(folder)
    (folder / "fingerprint.json").write_text("")
    store = open_store(settings(tmp_path), None)
    assert (store.number, (folder / "1.damaged").is_dir()) == (2, True)
    store.close()


def test_a_data_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path):
    (tmp_path / "vectors").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="XGTWIN_DATA_DIR"):
        open_store(settings(tmp_path), None)


def test_a_collection_of_words_alone_begins_anew_when_words_are_stored_otherwise(tmp_path: Path):
    store = open_store(settings(tmp_path), None, collection="memory")
    store.begin(Fingerprint(lexical="older"))
    store.swap()
    ingest(store, document("A torre do campus."))
    store.close()
    store = open_words(settings(tmp_path), "memory")
    assert texts(store, ask("torres")) == []
    ingest(store, document("A torre do campus."))
    store.close()
    store = open_words(settings(tmp_path), "memory")
    assert texts(store, ask("torres")) == ["A torre do campus."]
    store.close()
