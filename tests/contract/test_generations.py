"""What the store of the services promises while vectors are made anew, embedded and on a Qdrant server alike."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import repeat
from pathlib import Path
from uuid import uuid4

import pytest
from qdrant_client import QdrantClient

from shared.errors import Unavailable
from shared.vector_store import pgvector
from shared.vector_store.edge import EdgeVectorStore
from shared.vector_store.edge_generations import EdgeGenerations
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.generation import Generations
from shared.vector_store.generational_store import GenerationalStore
from shared.vector_store.pgvector_generations import PgvectorGenerations
from shared.vector_store.qdrant import QdrantVectorStore
from shared.vector_store.qdrant_connection import connect
from shared.vector_store.qdrant_generations import QdrantGenerations
from tests.contract.stores import (
    ENCODER,
    FINGERPRINT,
    ORGANIZATION,
    NewDatabase,
    ask,
    document,
    embedded,
    ingest,
    texts,
)

ROOT = Path(__file__).parents[2]
WORDS = Fingerprint(lexical=ENCODER.fingerprint)
TOWER, LAMP = "A torre do campus.", "A lâmpada do laboratório."
EAST, NORTH = (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0)

Open = Callable[[], GenerationalStore]


class Unclosed(QdrantClient):
    """One in-process engine for several clients: it can be opened once only."""

    def close(self, *_: object, **__: object) -> None:
        pass


def on_a_qdrant_server() -> Callable[[], Generations]:
    """An empty place there, for as many processes as one likes."""
    url, name = os.environ.get("QDRANT_URL"), f"generations-{uuid4().hex[:12]}"
    if not url:
        pytest.skip("opt-in: set QDRANT_URL to run the contract against a Qdrant server")
    return lambda: QdrantGenerations(lambda: connect(url, os.environ.get("QDRANT_API_KEY")), name, ENCODER.stems)


@pytest.fixture(params=["edge", "qdrant-local", "qdrant-server", "pgvector"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, new_database: NewDatabase) -> Iterator[Open]:

    stores: list[GenerationalStore] = []
    if request.param == "edge":

        def generations() -> Generations:
            return EdgeGenerations(tmp_path / "vectors" / "test", ENCODER.stems)
    elif request.param == "qdrant-local":
        client = Unclosed(path=str(tmp_path))

        def generations() -> Generations:
            return QdrantGenerations(lambda: client, "test", ENCODER.stems)
    elif request.param == "pgvector":
        database = new_database()

        def generations() -> Generations:
            return PgvectorGenerations(lambda: pgvector.connect(database), "test", ENCODER.stems)
    else:
        generations = on_a_qdrant_server()

    def reopened() -> GenerationalStore:
        while stores:
            stores.pop().close()
        stores.append(GenerationalStore(generations(), WORDS, FINGERPRINT.model))
        return stores[-1]

    yield reopened
    while stores:
        stores.pop().close()


def filled(store: GenerationalStore, *names: str) -> None:
    """The next generation, given whole documents as whoever fills it does."""
    assert store.next is not None
    for name in names:
        ingest(store.next.store, document(TOWER, name=name), [EAST] if store.next.fingerprint.dimension else None)


def test_reads_stay_with_the_current_generation_until_the_swap(opened: Open):
    store = opened()
    ingest(store, document(TOWER, name="torre"))
    store.begin(FINGERPRINT)
    assert texts(store, ask("torre", dense=EAST)) == [TOWER]
    assert texts(store, ask("nada", dense=EAST)) == [], "the current generation holds words only"
    filled(store, "torre")
    store.swap()
    assert store.fingerprint == FINGERPRINT
    assert store.next is None
    assert texts(store, ask("nada", dense=EAST)) == [TOWER]
    assert texts(opened(), ask("nada", dense=EAST)) == [TOWER], "and after a restart"


def test_what_is_written_meanwhile_reaches_both(opened: Open):
    store = opened()
    ingest(store, document(TOWER, name="vai"))
    store.begin(FINGERPRINT)
    filled(store, "vai")
    ingest(store, document(LAMP, name="vem"), [NORTH])
    gone = document(TOWER, name="vai")[0]
    store.delete(gone.organization_id, gone.document_id)
    renamed = [document(LAMP, name="vem")[0].model_copy(update={"title": "Outro nome"})]
    store.relabel(embedded(renamed))
    assert texts(store, ask("lâmpada")) == [LAMP]
    store.swap()
    assert [hit.chunk for hit in store.search(ask("lâmpada", dense=NORTH))] == renamed
    assert store.count(ORGANIZATION, published=None) == 1
    assert store.touched() == {(chunk.organization_id, chunk.document_id) for chunk in (gone, renamed[0])}
    assert store.touched() == set()


def test_vectors_of_another_model_are_not_stored(opened: Open):
    store = opened()
    store.begin(FINGERPRINT.model_copy(update={"model": "test/another"}))
    ingest(store, document(TOWER), [EAST])
    store.swap()
    assert store.unembedded(5) == document(TOWER)


def test_a_restart_takes_up_what_was_begun_and_drops_what_is_not_wanted(opened: Open):
    store = opened()
    ingest(store, document(TOWER, name="torre"))
    store.begin(FINGERPRINT)
    filled(store, "torre")

    store = opened()
    assert store.fingerprint == WORDS
    assert store.unfinished(FINGERPRINT)
    assert store.next is not None
    assert store.next.store.count(ORGANIZATION) == 1, "what it held already is there"

    store = opened()
    assert not store.unfinished(FINGERPRINT.model_copy(update={"dimension": 8}))
    assert store.next is None
    assert texts(store, ask("torre")) == [TOWER]
    assert not opened().unfinished(FINGERPRINT), "it was dropped"


def test_a_kill_between_the_swap_and_the_end_of_the_old_generation_leaves_the_new_one(
    opened: Open, monkeypatch: pytest.MonkeyPatch
):
    store = opened()
    ingest(store, document(TOWER, name="torre"))
    store.begin(WORDS)
    filled(store, "torre")
    monkeypatch.setattr(GenerationalStore, "_retire", lambda *_: None)  # as if the process died there
    old = store._current
    store.swap()
    old.store.close()
    monkeypatch.undo()

    store = opened()
    assert texts(store, ask("torre")) == [TOWER]
    assert not store.unfinished(WORDS), "an older generation is no unfinished one, though it has the same fingerprint"
    assert list(store._generations.numbers()) == [store.number]


def test_searches_go_on_while_generations_are_swapped(opened: Open, request: pytest.FixtureRequest):
    if "qdrant-local" in request.node.name:
        return  # qdrant-client's own engine serves one thread
    store = opened()
    ingest(store, document(TOWER, name="torre"))
    failures: list[object] = []
    stop = threading.Event()

    def search() -> None:
        while not stop.is_set():
            try:
                found = texts(store, ask("torre"))
            except Unavailable as error:
                failures.append(error)
                return
            if found != [TOWER]:
                failures.append(found)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        store.begin(FINGERPRINT)
        filled(store, "torre")
        store.swap()
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_single_shard_of_an_earlier_release_becomes_the_first_generation(tmp_path: Path):
    folder = tmp_path / "vectors" / "test"
    before = EdgeVectorStore(folder, FINGERPRINT, ENCODER.stems)
    ingest(before, document(TOWER), [EAST])
    before.close()
    record = folder / "fingerprint.json"
    record.write_text(record.read_text().replace('"chunker":"",', ""))  # as it was written then
    copy = Path(shutil.copytree(folder, tmp_path / "copy" / "test"))

    store = GenerationalStore(EdgeGenerations(folder, ENCODER.stems), WORDS, FINGERPRINT.model)
    assert (store.number, store.fingerprint) == (1, FINGERPRINT)
    assert texts(store, ask("nada", dense=EAST)) == [TOWER]
    store.close()

    copy.rename(copy.with_name("test.adopted"))  # killed between its two renames
    store = GenerationalStore(EdgeGenerations(copy, ENCODER.stems), WORDS, FINGERPRINT.model)
    assert texts(store, ask("torre")) == [TOWER]
    store.close()


def test_a_collection_of_an_earlier_release_becomes_the_first_generation_on_a_server(tmp_path: Path):
    client = Unclosed(path=str(tmp_path))
    ingest(QdrantVectorStore(client, "test", WORDS, ENCODER.stems), document(TOWER))
    store = GenerationalStore(QdrantGenerations(lambda: client, "test", ENCODER.stems), FINGERPRINT, None)
    assert texts(store, ask("torre")) == [TOWER]
    store.begin(FINGERPRINT)
    filled(store, "torre")
    store.swap()
    assert [each.name for each in client.get_collections().collections] == ["test-1"]


def test_the_current_generation_cannot_be_dropped(opened: Open):
    store = opened()
    ingest(store, document(TOWER, name="torre"))
    with pytest.raises(Unavailable, match="current"):
        store._generations.drop(store.number)
    assert texts(store, ask("torre")) == [TOWER]
    store.begin(WORDS)
    assert store.next is not None
    store._generations.make_current(store.next.number)  # as another process would
    with pytest.raises(Unavailable, match="current"):
        store._generations.drop(store.next.number)
    assert list(store._generations.numbers()) == [store.number, store.next.number]


def test_a_generation_that_another_process_dropped_does_not_become_current(new_database: NewDatabase):
    url = new_database()
    generations = PgvectorGenerations(lambda: pgvector.connect(url), "test", ENCODER.stems)
    store = GenerationalStore(generations, WORDS, None)
    store.begin(WORDS)
    assert store.next is not None
    generations.drop(store.next.number)
    with pytest.raises(Unavailable, match="dropped"):
        store.swap()
    assert generations.current() == store.number
    store.close()


@pytest.fixture(params=["qdrant-local", "pgvector"])
def on_a_server(request: pytest.FixtureRequest, tmp_path: Path, new_database: NewDatabase) -> Callable[[], Generations]:
    """Gives the generations of one place, as often as processes open it."""
    if request.param == "pgvector":
        url = new_database()
        return lambda: PgvectorGenerations(lambda: pgvector.connect(url), "test", ENCODER.stems)
    client = Unclosed(path=str(tmp_path))
    return lambda: QdrantGenerations(lambda: client, "test", ENCODER.stems)


def two_processes(on_a_server: Callable[[], Generations]) -> tuple[GenerationalStore, GenerationalStore]:
    one, other = (GenerationalStore(on_a_server(), WORDS, FINGERPRINT.model) for _ in range(2))
    return one, other


def test_whoever_began_a_generation_that_another_process_swapped_in_follows_and_does_not_drop_it(
    on_a_server: Callable[[], Generations],
):
    beginner, successor = two_processes(on_a_server)
    ingest(beginner, document(TOWER, name="torre"))
    beginner.begin(WORDS)
    begun = beginner.next
    assert begun is not None
    assert successor.unfinished(WORDS)
    filled(successor, "torre")
    successor.swap()

    with pytest.raises(Unavailable, match="swapped"):
        beginner.require_next(begun)
    beginner.abandon()
    assert beginner.number == successor.number
    for store in (beginner, successor):
        store.ping()
        assert texts(store, ask("torre")) == [TOWER]
    ingest(beginner, document(LAMP, name="luz"))
    assert texts(successor, ask("lâmpada")) == [LAMP], "what it writes goes where all look"


def test_what_another_process_swapped_in_since_the_last_look_is_not_left_over(on_a_server: Callable[[], Generations]):
    one, other = two_processes(on_a_server)
    ingest(one, document(TOWER, name="torre"))
    one.begin(WORDS)
    filled(one, "torre")
    one.swap()
    assert not other.unfinished(FINGERPRINT)
    assert texts(one, ask("torre")) == texts(other, ask("torre")) == [TOWER]


def test_another_process_follows_a_swap_on_a_server_without_a_restart(
    on_a_server: Callable[[], Generations], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    owner, follower = two_processes(on_a_server)
    ingest(owner, document(TOWER, name="torre"))
    assert texts(follower, ask("torre")) == [TOWER]
    owner.begin(FINGERPRINT)
    filled(owner, "torre")
    owner.swap()
    if "pgvector" in request.node.name:  # qdrant-client's own engine answers otherwise than a server to this
        assert texts(follower, ask("torre")) == [TOWER], "the generation it served is gone by now"
    monkeypatch.setattr("shared.vector_store.generational_store.LOOK_AGAIN_S", 0.0)
    assert follower.fingerprint == FINGERPRINT
    assert texts(follower, ask("nada", dense=EAST)) == [TOWER]
    owner.close()
    follower.close()


@pytest.mark.parametrize("server", ["pgvector", "qdrant-server"])
def test_processes_that_open_an_empty_place_at_once_all_get_its_first_generation(
    server: str, new_database: NewDatabase
):
    def empty_place() -> Callable[[], Generations]:
        if server == "qdrant-server":
            return on_a_qdrant_server()
        url = new_database()
        return lambda: PgvectorGenerations(partial(pgvector.connect, url), "test", ENCODER.stems)

    for place in (empty_place() for _ in range(5)):
        wanted = [WORDS, FINGERPRINT] * 3
        places = [place() for _ in wanted]
        with ThreadPoolExecutor(len(wanted)) as pool:
            stores = list(pool.map(GenerationalStore, places, wanted, repeat(FINGERPRINT.model)))
        ingest(stores[0], document(TOWER))
        assert [texts(store, ask("torre")) for store in stores] == [[TOWER]] * len(wanted)
        assert {store.number for store in stores} == {1}
        for store in stores:
            store.close()


class SwappedMeanwhile(QdrantGenerations):
    """Another process swaps generations between a look at which is current and its opening."""

    swap: Callable[[], None] | None = None

    def current(self) -> int | None:
        number = super().current()
        if self.swap is not None:
            swap, self.swap = self.swap, None
            swap()
        return number


def test_a_start_that_meets_a_swap_gets_the_generation_that_came(tmp_path: Path):
    client = Unclosed(path=str(tmp_path))
    store = GenerationalStore(QdrantGenerations(lambda: client, "test", ENCODER.stems), WORDS, None)
    store.begin(WORDS)
    filled(store, "torre")
    meeting = SwappedMeanwhile(lambda: client, "test", ENCODER.stems)
    meeting.swap = store.swap
    started = GenerationalStore(meeting, WORDS, None)
    assert started.number == store.number
    assert texts(started, ask("torre")) == [TOWER]


KILLED_WHILE_IT_BEGINS = """
import os, sys
from pathlib import Path
from shared.vector_store import edge_generations
from tests.contract.test_generations import ENCODER, FINGERPRINT, WORDS, GenerationalStore, TOWER, document, ingest

edge_generations.{step} = lambda *_: os._exit(9)
store = GenerationalStore(edge_generations.EdgeGenerations(Path(sys.argv[1]), ENCODER.stems), WORDS, None)
ingest(store, document(TOWER))
store.begin(FINGERPRINT)
store.swap()
"""


@pytest.mark.parametrize("step", ["EdgeGenerations.create", "EdgeGenerations.make_current", "EdgeGenerations.drop"])
def test_a_kill_at_any_step_leaves_something_that_opens(tmp_path: Path, step: str):
    folder = tmp_path / "vectors" / "test"
    store = GenerationalStore(EdgeGenerations(folder, ENCODER.stems), WORDS, None)
    ingest(store, document(TOWER))
    store.close()
    code = KILLED_WHILE_IT_BEGINS.format(step=step)
    died = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=False)
    assert died.returncode == 9
    store = GenerationalStore(EdgeGenerations(folder, ENCODER.stems), WORDS, None)
    assert store.count(ORGANIZATION) == (0 if step.endswith("drop") else 1), "the new one is empty here, if it swapped"
    store.unfinished(WORDS)
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [str(store.number)]
    store.close()
