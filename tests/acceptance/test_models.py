"""`EMBEDDER__KIND=auto` as a user meets it: the real product and fastembed, a stand-in for the model hub."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.acceptance.product import ROOT, Product, running, wait_until
from tests.models import minilm
from tests.models.hub import Hub, serving

pytestmark = pytest.mark.skipif(minilm.available() is not None, reason=minilm.available() or "")

REPOSITORY = "Qdrant/all-MiniLM-L6-v2-onnx"
MODEL = f"models/{minilm.MODEL_NAME}"
PART = "models/sentence-transformers/.all-MiniLM-L6-v2.fetching"
MEANING = "canine animals"
"""Shares no word with the document about dogs, in any spelling."""
TEXTS = {
    "pets.txt": "Dogs and puppies love to run outside and bark at strangers.",
    "finance.txt": "The central bank raised interest rates to fight inflation.",
    "food.txt": "Bake the bread for forty minutes until the crust is brown.",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return minilm.build(tmp_path_factory.mktemp("minilm") / "model")


@pytest.fixture
def hub(model: Path) -> Iterator[Hub]:
    with serving(REPOSITORY, model) as hub:
        yield hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "watched_docs").mkdir()
    for name, text in TEXTS.items():
        (tmp_path / "watched_docs" / name).write_text(text)
    return tmp_path


def settings(hub_url: str) -> dict[str, str]:
    return {"HF_ENDPOINT": hub_url, "EMBEDDER__MODEL": minilm.MODEL_NAME, "EMBEDDER__FETCH": "true"}


def state(product: Product) -> str:
    return str(product.query.get("/readyz").json()["embedding"]["state"])


def found(product: Product, question: str) -> list[str]:
    hits = product.query.post("/search", json={"query": question}).raise_for_status().json()
    return [hit["filename"] for hit in hits["results"]]


def wait_until_dense(product: Product) -> None:
    wait_until(lambda: state(product) == "ready", 90, "dense vectors to join")
    assert product.query.get("/readyz").json()["retrieval"] == f"lexical + {minilm.MODEL_NAME}"
    assert found(product, MEANING)[0] == "pets.txt", "what only meaning can find"


def test_the_model_is_fetched_while_words_answer_and_joins_without_a_restart(folder: Path, hub: Hub):
    hub.pause_s = 0.05
    with running(folder, **settings(hub.url)) as product:
        product.wait_until_all_ready()
        assert found(product, "bark strangers") == ["pets.txt"], "words answer from the first second"
        assert "for now" in product.output
        wait_until(lambda: state(product) == "fetching", 30, "the fetch")
        assert "%" in product.query.get("/readyz").json()["embedding"]["words"]
        assert found(product, MEANING) == []
        wait_until_dense(product)
        assert "embedding_model_fetching" in product.output
    hub.sent = 0
    with running(folder, **settings(hub.url)) as product:
        wait_until_dense(product)
    assert hub.sent == 0, "the next start has it on disk"


def test_killed_in_the_middle_of_the_fetch_and_of_the_filling_it_goes_on(folder: Path, hub: Hub):
    for number in range(60):  # enough that the filling has a middle
        note = folder / "watched_docs" / f"nota{number}.txt"
        note.write_text(f"A nota {number}. " + f"O farol {number} pisca. " * 30)
    hub.pause_s = 1.0
    size = (hub.folder / "model.onnx").stat().st_size
    with running(folder, **settings(hub.url)) as product:
        product.wait_until_all_ready()
        hub.pause_s = 0.05
        wait_until(lambda: hub.sent > size // 4, 60, "a part of the fetch")
        product.kill()
    assert not (folder / "data" / MODEL).exists()
    hub.pause_s = 0.0
    with running(folder, **settings(hub.url)) as product:

        def in_the_middle() -> bool:
            filling = product.query.get("/readyz").json()["index"]["filling"]
            return bool(filling and 0 < filling["done"] < filling["total"])

        wait_until(in_the_middle, 90, "the middle of the filling")
        assert any(each.startswith("model.onnx bytes=") for each in hub.ranges), "the fetch went on where it was"
        product.kill()
    with running(folder, **settings(hub.url)) as product:
        assert found(product, "bark strangers")[:1] == ["pets.txt"]
        wait_until_dense(product)


def test_without_a_hub_the_product_stays_lexical_says_so_once_and_takes_a_copied_folder_up(folder: Path, model: Path):
    with running(folder, **settings("http://127.0.0.1:9")) as product:
        product.wait_until_all_ready()
        wait_until(lambda: state(product) == "waiting", 30, "the hub to be found silent")
        assert "does not answer" in product.query.get("/readyz").json()["embedding"]["words"]
        assert product.output.count("embedding_model_not_there") == 1
        assert found(product, "bark strangers") == ["pets.txt"]
        shutil.copytree(model, folder / "copy")
        (folder / "data" / "models" / "sentence-transformers").mkdir(parents=True, exist_ok=True)
        (folder / "copy").rename(folder / "data" / MODEL)
        wait_until_dense(product)


def pull(folder: Path, hub_url: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "xgtwin", "models", *more.pop("words", "pull").split()],
        cwd=folder,
        env={**environment, **settings(hub_url), **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_line_that_breaks_in_the_middle_of_a_file_is_continued(folder: Path, hub: Hub):
    hub.cut_after = 30 << 20
    done = pull(folder, hub.url)
    assert done.returncode == 0, done.stderr
    assert "whole and works" in done.stdout
    assert [each for each in hub.ranges if each.startswith("model.onnx")]
    listed = pull(folder, hub.url, words="list")
    assert "whole, 384 dimensions" in listed.stdout
    assert "here already" in pull(folder, hub.url).stdout


@pytest.mark.parametrize("unsigned", [False, True])
def test_a_broken_file_is_never_loaded_nor_kept(folder: Path, hub: Hub, unsigned: bool):
    hub.spoilt, hub.unsigned = "model.onnx", unsigned
    done = pull(folder, hub.url)
    assert done.returncode == 1
    assert "model hub" in done.stderr
    assert not (folder / "data" / MODEL).exists()
    assert not (folder / "data" / PART / "model.onnx").exists()
    hub.spoilt = ""
    assert pull(folder, hub.url).returncode == 0


def test_what_the_hub_does_not_have_is_said_with_the_setting(folder: Path, hub: Hub):
    done = pull(folder, hub.url, EMBEDDER__MODEL="acme/unheard-of")
    assert done.returncode == 1
    assert "EMBEDDER__MODEL" in done.stderr
    offline = pull(folder, hub.url, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE" in offline.stderr


class LoginPage(BaseHTTPRequestHandler):
    """What a network answers to everything before somebody has logged in."""

    def do_GET(self) -> None:
        page = b"<html>Please log in to the network.</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


def test_a_network_that_asks_for_a_login_is_a_sentence(folder: Path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), LoginPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    done = pull(folder, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    assert done.returncode != 0
    assert "login" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_no_model_can_have_is_a_sentence(folder: Path, hub: Hub):
    done = pull(folder, hub.url, EMBEDDER__MODEL="o meu modelo")
    assert done.returncode != 0
    assert "EMBEDDER__MODEL" in done.stderr
    assert "Traceback" not in done.stderr


def test_more_bytes_than_the_file_has_are_not_continued(folder: Path, hub: Hub):
    part = folder / "data" / PART / "config.json.part"
    part.parent.mkdir(parents=True)
    (part.parent / ".revision").write_text("0" * 40)
    part.write_bytes(b"<html>a login page</html>" * 1000)
    done = pull(folder, hub.url)
    assert done.returncode == 0, done.stderr


COPIED_MEANWHILE = """
import shutil, sys
from pathlib import Path
from shared.embeddings.fetching import pull

model, name, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])

def tell(*_):
    if not folder.exists():
        shutil.copytree(model, folder)
        (folder / "by-hand").touch()

pull(name, folder, tell)
"""


def test_a_folder_that_somebody_copies_there_during_the_fetch_is_kept(folder: Path, hub: Hub, model: Path):
    place = folder / "data" / MODEL
    done = subprocess.run(
        [sys.executable, "-c", COPIED_MEANWHILE, str(model), minilm.MODEL_NAME, str(place)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), **settings(hub.url)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (place / "by-hand").exists()
    assert not (folder / "data" / PART).exists()


def test_the_folder_of_a_re_ranker_is_no_broken_embedding_model(folder: Path, hub: Hub):
    place = folder / "data" / "models" / "BAAI" / "bge-reranker-v2-m3"
    place.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    assert "not a whole re-ranker" in pull(folder, hub.url, words="list").stdout
