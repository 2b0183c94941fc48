"""What every embedder promises (shared/embeddings/protocol.py), tried on each; and which one is chosen when."""

import json
import math
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import openai
import pytest

from shared.embeddings.bootstrap import build_model
from shared.embeddings.fastembed_embedder import FastembedEmbedder
from shared.embeddings.model import ModelState, Present
from shared.embeddings.openai_embedder import BATCH, OpenAIEmbedder
from shared.embeddings.prefixes import prefixes_of
from shared.embeddings.protocol import Embedder
from shared.errors import Unavailable
from shared.part_settings import EmbedderSettings
from shared.settings import Settings
from tests.acceptance.product import wait_until
from tests.models import minilm

needs_minilm = pytest.mark.skipif(minilm.available() is not None, reason=minilm.available() or "")
DIMENSION = 8

Respond = Callable[[httpx2.Request], httpx2.Response]


def letters(text: str) -> list[float]:
    """A vector of the server's making: letter frequencies, not normalised, the same for the same text."""
    return [float(sum(text.count(letter) for letter in "aeiourst"[i]) + 0.1) for i in range(DIMENSION)]


def embeddings(request: httpx2.Request) -> httpx2.Response:
    """An OpenAI-compatible server, which answers in any order it likes."""
    if request.url.path.endswith("/models"):
        return httpx2.Response(200, json={"object": "list", "data": []})
    body = json.loads(request.content)
    data = [{"object": "embedding", "index": i, "embedding": letters(text)} for i, text in enumerate(body["input"])]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return httpx2.Response(200, json={"object": "list", "model": body["model"], "data": data[::-1], "usage": usage})


def served(respond: Respond, name: str = "test-model", dimension: int = DIMENSION) -> OpenAIEmbedder:
    client = openai.OpenAI(
        base_url="http://embeddings.test/v1",
        api_key="none",
        max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(respond)),
    )
    return OpenAIEmbedder(client, name, dimension, window=512)


@pytest.fixture(scope="session")
def minilm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return minilm.build(tmp_path_factory.mktemp("minilm") / "model")


@pytest.fixture(params=[pytest.param("fastembed", marks=needs_minilm), "openai"])
def embedder(request: pytest.FixtureRequest) -> Iterator[Embedder]:
    if request.param == "openai":
        yield served(embeddings)
    else:
        yield FastembedEmbedder(minilm.MODEL_NAME, request.getfixturevalue("minilm_folder"))


TEXTS = ["Uma antena no mastro.", "ok", "O relatório do estágio. " * 30, "Uma antena no mastro."] * 20


def test_there_is_one_unit_vector_a_text_in_order(embedder: Embedder):
    texts = TEXTS[: BATCH + 3]  # more than one request
    vectors = list(embedder.embed_passages(texts))
    assert len(vectors) == len(texts)
    assert all(len(vector) == embedder.dimension for vector in vectors)
    assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-5) for vector in vectors)
    for text, vector in zip(texts[:4], vectors, strict=False):
        assert next(iter(embedder.embed_passages([text]))) == pytest.approx(vector, abs=1e-5)
    assert vectors[0] != pytest.approx(vectors[1], abs=1e-3)


@needs_minilm
def test_memory_of_a_long_batch_is_not_kept_for_ever(minilm_folder: Path):
    """Onnxruntime's arena grows to the longest batch it ever saw and gives nothing back (fastembed#483,
    open-webui#5946)."""
    session = FastembedEmbedder(minilm.MODEL_NAME, minilm_folder)._model.model.model  # type: ignore[attr-defined]
    assert session.get_session_options().enable_cpu_mem_arena is False


@pytest.mark.parametrize("text", ["", "ok", "A transmissão não é síncrona. " * 60, "0f3a " * 300])
def test_tokens_are_counted_beyond_the_window(embedder: Embedder, text: str):
    assert embedder.count_tokens(text * 2) >= embedder.count_tokens(text)
    assert embedder.count_tokens(text * 9) > embedder.window or len(text) < 10


@needs_minilm
def test_what_fits_into_the_window_is_read_to_its_last_word(minilm_folder: Path):
    model = FastembedEmbedder(minilm.MODEL_NAME, minilm_folder)
    text = "Cada antena tem um número. "
    fits = next(n for n in range(1, 400) if model.count_tokens(text * (n + 1) + "Jaca.") > model.window)
    with_end, without = list(model.embed_passages([text * fits + "Jaca.", text * fits]))
    assert model.count_tokens(text * fits + "Jaca.") <= model.window
    assert with_end != pytest.approx(without, abs=1e-4)
    beyond, same = list(model.embed_passages([text * (fits + 2) + "Jaca.", text * (fits + 2)]))
    assert beyond == pytest.approx(same, abs=1e-5)


def test_no_texts_make_no_vectors(embedder: Embedder):
    assert list(embedder.embed_passages([])) == []


def test_a_question_has_the_vector_of_the_same_passage_where_the_model_knows_no_prefixes(embedder: Embedder):
    (passage,) = embedder.embed_passages(["Onde fica a antena?"])
    assert embedder.embed_question("Onde fica a antena?") == pytest.approx(passage, abs=1e-5)


def test_threads_get_the_vectors_that_one_thread_gets(embedder: Embedder):
    questions = [f"Onde fica a antena {i}?" for i in range(12)]
    alone = [embedder.embed_question(question) for question in questions]
    with ThreadPoolExecutor(4) as pool:
        for vector, expected in zip(pool.map(embedder.embed_question, questions), alone, strict=True):
            assert vector == pytest.approx(expected, abs=1e-5)


def test_an_embedder_says_its_name_and_that_it_is_well(embedder: Embedder):
    embedder.ping()
    words = Present(embedder).status().words
    assert embedder.name in words
    assert str(embedder.dimension) in words


def test_e5_models_get_their_prefixes_and_others_none():
    sent: list[str] = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        sent.extend(json.loads(request.content)["input"])
        return embeddings(request)

    e5 = served(respond, "intfloat/multilingual-e5-small")
    list(e5.embed_passages(["a torre"]))
    e5.embed_question("que torre?")
    assert sent == ["passage: a torre", "query: que torre?"]
    assert prefixes_of("e5-small-v2") == prefixes_of("intfloat/multilingual-e5-small")
    assert prefixes_of(minilm.MODEL_NAME) == prefixes_of("acme/base5-model") == prefixes_of("")


@needs_minilm
def test_a_folder_of_a_model_that_fastembed_does_not_know_is_loaded_and_prefixed(minilm_folder: Path):
    known = FastembedEmbedder(minilm.MODEL_NAME, minilm_folder)
    other = FastembedEmbedder("test/multilingual-e5-nano", minilm_folder)
    assert other.dimension == minilm.DIMENSION
    assert other.embed_question("antena") == pytest.approx(known.embed_question("query: antena"), abs=1e-5)
    assert next(other.embed_passages(["antena"])) == pytest.approx(known.embed_question("passage: antena"), abs=1e-5)


@pytest.mark.parametrize(
    ("status", "says"),
    [(401, "EMBEDDER__API_KEY"), (404, "EMBEDDER__MODEL"), (400, "EMBEDDER__MODEL"), (503, "EMBEDDER__BASE_URL")],
)
def test_a_server_that_refuses_is_unavailable_with_what_to_check(status: int, says: str):
    embedder = served(lambda _: httpx2.Response(status, json={"error": {"message": "no"}}))
    with pytest.raises(Unavailable, match=says):
        list(embedder.embed_passages(["torre"]))


def test_a_server_that_is_not_there_is_unavailable():
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("connection refused", request=request)

    embedder = served(refuse)
    with pytest.raises(Unavailable, match="EMBEDDER__BASE_URL"):
        embedder.ping()
    with pytest.raises(Unavailable, match="EMBEDDER__BASE_URL"):
        embedder.embed_question("torre")


def test_a_server_without_a_list_of_models_is_well():
    served(lambda _: httpx2.Response(404, json={"error": {"message": "not found"}})).ping()


def test_vectors_of_another_length_are_refused_naming_the_setting():
    with pytest.raises(Unavailable, match=r"8 numbers, EMBEDDER__DIMENSION says 384"):
        served(embeddings, dimension=384).embed_question("torre")


def settings(tmp_path: Path, **embedder: object) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, embedder=EmbedderSettings.model_validate(embedder))


def test_without_a_model_folder_auto_is_lexical_and_says_so(tmp_path: Path):
    model = build_model(settings(tmp_path, fetch=False))
    wait_until(lambda: "not on this machine" in model.status().words, 10, "the first look at the folder")
    assert model.current() is None
    assert model.status().state is ModelState.ABSENT
    model.close()


@needs_minilm
def test_auto_takes_the_model_in_the_data_folder_and_none_leaves_it(tmp_path: Path):
    minilm.build(tmp_path / "models" / minilm.MODEL_NAME)
    model = build_model(settings(tmp_path, model=minilm.MODEL_NAME))
    embedder = model.current()
    assert embedder is not None, "a folder that is there is waited for"
    assert (embedder.name, embedder.dimension) == (minilm.MODEL_NAME, minilm.DIMENSION)
    model.close()
    assert build_model(settings(tmp_path, model=minilm.MODEL_NAME, kind="none")).current() is None


@pytest.mark.parametrize(
    ("asked", "says"),
    [({"kind": "fastembed"}, "EMBEDDER__MODEL_DIR"), ({"kind": "openai"}, "EMBEDDER__BASE_URL")],
)
def test_a_kind_that_cannot_be_served_says_what_to_do(tmp_path: Path, asked: dict[str, object], says: str):
    with pytest.raises(Unavailable, match=says):
        build_model(settings(tmp_path, **asked))


def test_half_a_model_asked_for_by_name_is_an_error(tmp_path: Path):
    folder = tmp_path / "half"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"half")
    with pytest.raises(Unavailable, match="EMBEDDER__MODEL_DIR") as refusal:
        build_model(settings(tmp_path, kind="fastembed", model_dir=folder))
    assert str(folder) not in refusal.value.detail


@needs_minilm
def test_a_folder_that_is_copied_while_it_is_looked_at_is_taken_up_when_it_is_whole(
    tmp_path: Path, minilm_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.embeddings.late.LOOK_AGAIN_S", 0.05)
    folder = tmp_path / "copied"
    folder.mkdir()
    (folder / "model.onnx").write_bytes((minilm_folder / "model.onnx").read_bytes()[:1000])
    model = build_model(settings(tmp_path, model=minilm.MODEL_NAME, model_dir=folder))
    assert model.status().state is ModelState.UNUSABLE
    assert "EMBEDDER__MODEL_DIR" in model.status().words
    shutil.copytree(minilm_folder, folder, dirs_exist_ok=True)
    wait_until(lambda: model.current() is not None, 20, "the model to be taken up")
    assert model.status().state is ModelState.READY
    model.close()


@needs_minilm
def test_minilm_reads_256_tokens_whatever_its_tokenizer_claims(tmp_path: Path, minilm_folder: Path):
    folder = Path(shutil.copytree(minilm_folder, tmp_path / "model"))
    claims = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**claims, "model_max_length": 512}))
    model = FastembedEmbedder(minilm.MODEL_NAME, folder)
    assert model.window == 256
    long = "Cada antena tem um número. " * 60
    assert model.embed_question(long) == pytest.approx(model.embed_question(long + "Jaca. " * 200), abs=1e-5)


def test_a_server_is_asked_before_its_vectors_are_counted_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.embeddings.late.LOOK_AGAIN_S", 0.05)
    asked = settings(tmp_path, kind="openai", base_url="http://127.0.0.1:9/v1", model="m", dimension=12)
    model = build_model(asked)
    wait_until(lambda: model.status().state is ModelState.WAITING, 10, "the server to be found silent")
    assert model.current() is None
    assert "EMBEDDER__BASE_URL" in model.status().words
    model.close()


def test_a_server_that_gives_another_dimension_is_not_used_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.embeddings.openai_embedder.connect", lambda *_: served(embeddings)._client)
    model = build_model(
        settings(tmp_path, kind="openai", base_url="http://embeddings.test/v1", model="m", dimension=12)
    )
    wait_until(lambda: model.status().state is ModelState.WAITING, 10, "the server to be found out")
    assert model.current() is None
    assert "8 numbers, EMBEDDER__DIMENSION says 12" in model.status().words
    model.close()
