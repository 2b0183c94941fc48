"""What the embedded store promises about its folder: kills, second processes, torn and foreign files."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import Conflict, Unavailable
from shared.vector_store.edge import EdgeVectorStore
from shared.vector_store.generation import DamagedVectors
from tests.contract.stores import ENCODER, FINGERPRINT, ORGANIZATION, ask, document, embedded, ingest, texts

ROOT = Path(__file__).parents[2]
TEXTS = [f"A lâmpada {i} do laboratório publica seu estado." for i in range(150)]

WRITER = """
import sys
from pathlib import Path
from tests.contract.test_edge_folder import TEXTS, open_store
from tests.contract.stores import document, embedded, ingest

store = open_store(Path(sys.argv[1]))
ingest(store, document(*TEXTS, name="published"))
store.upsert(embedded(document(*TEXTS, name="waiting")))
print("stored", flush=True)
sys.stdin.read()  # until killed
"""


def open_store(folder: Path) -> EdgeVectorStore:
    return EdgeVectorStore(folder, FINGERPRINT, ENCODER.stems)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vectors" / "test"


def test_acknowledged_chunks_survive_a_kill(folder: Path):
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "stored\n"
        writer.kill()
    store = open_store(folder)
    assert store.count(ORGANIZATION) == len(TEXTS)
    assert store.count(ORGANIZATION, published=False) == len(TEXTS)
    assert texts(store, ask("lâmpada 77", limit=1)) == [TEXTS[77]]
    store.publish(ORGANIZATION, document(TEXTS[0], name="waiting")[0].document_id, 1)
    assert store.count(ORGANIZATION) == 2 * len(TEXTS)
    store.close()


def test_a_refused_second_process_leaves_the_first_able_to_store(folder: Path):
    words = [f"Medida número {i} da bancada." for i in range(20)]
    store = open_store(folder)
    ingest(store, document(*TEXTS, name="before"))
    script = (
        "import sys; from pathlib import Path; from tests.contract.test_edge_folder import open_store; "
        "open_store(Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, cwd=ROOT, check=False)
    assert b"in use by another xgtwin process" in done.stderr
    for i, word in enumerate(words):
        ingest(store, document(word, name=f"after {i}"))
    assert store.count(ORGANIZATION) == len(TEXTS) + len(words)
    store.close()
    again = open_store(folder)
    assert again.count(ORGANIZATION) == len(TEXTS) + len(words)
    again.close()


def test_a_second_process_is_told_who_holds_the_vectors(folder: Path):
    store = open_store(folder)
    second = subprocess.run(
        [sys.executable, "-c", WRITER, str(folder)], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert second.returncode != 0
    assert "in use by another xgtwin process" in second.stderr
    ingest(store, document(TEXTS[0]))
    assert store.count(ORGANIZATION) == 1
    store.close()


def test_opening_twice_in_one_process_is_refused_in_words_without_paths(folder: Path):
    store = open_store(folder)
    with pytest.raises(Unavailable, match="STORE__QDRANT_URL") as refusal:
        open_store(folder)
    assert str(folder) not in refusal.value.detail
    store.close()


def test_an_empty_folder_becomes_a_store(folder: Path):
    folder.mkdir(parents=True)
    store = open_store(folder)
    assert store.count(ORGANIZATION) == 0
    store.close()


def test_a_start_that_was_killed_leaves_nothing_in_the_way(folder: Path):
    unfinished = folder.with_name("test.unfinished")
    (unfinished / "segments" / "half").mkdir(parents=True)
    store = open_store(folder)
    ingest(store, document(TEXTS[0]))
    store.close()
    assert not unfinished.exists()


@pytest.mark.parametrize("fingerprint", [None, "", "{half", '{"lexical": 1}', "[]"])
def test_a_folder_that_does_not_say_what_it_is_is_refused_and_left_alone(folder: Path, fingerprint: str | None):
    folder.mkdir(parents=True)
    (folder / "photo.jpg").write_bytes(b"dear to somebody")
    if fingerprint is not None:
        (folder / "fingerprint.json").write_text(fingerprint)
    with pytest.raises(Conflict, match="STORE__COLLECTION"):
        open_store(folder)
    assert (folder / "photo.jpg").read_bytes() == b"dear to somebody"


def test_torn_segments_are_reported_without_a_path(folder: Path):
    store = open_store(folder)
    ingest(store, document(*TEXTS[:5]))
    store.close()
    for state in folder.glob("segments/*/segment.json"):
        state.write_text("")
    with pytest.raises(DamagedVectors) as refusal:
        open_store(folder)
    assert str(folder) not in refusal.value.detail


def test_a_copy_of_the_closed_folder_is_a_backup(folder: Path, tmp_path: Path):
    store = open_store(folder)
    ingest(store, document(*TEXTS[:5]))
    store.close()
    copy = open_store(Path(shutil.copytree(folder, tmp_path / "elsewhere")))
    assert copy.count(ORGANIZATION) == 5
    copy.close()


def test_the_log_of_updates_does_not_grow_without_end(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.vector_store.edge.FLUSH_POINTS", 10)
    store = open_store(folder)
    chunks = embedded(document(*("x" * 1_000_000 for _ in range(10))))
    sizes = []
    for _ in range(12):  # 120 MB of updates; the log is cut in pieces of 32 MB, two of which stay
        store.upsert(chunks)
        sizes.append(sum(file.stat().st_blocks * 512 for file in (folder / "wal").iterdir()) / 1e6)
    assert max(sizes) < 90
    store.close()
