"""The ONNX all-MiniLM-L6-v2 that the tests build is the real model, and fastembed loads it offline."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from fastembed import TextEmbedding
from numpy.typing import NDArray

from tests.models import minilm

_REASON = minilm.available()
pytestmark = pytest.mark.skipif(_REASON is not None, reason=_REASON or "")

SENTENCES = [
    "A cat is sleeping on the sofa.",
    "The kitten naps on the couch.",
    "The central bank raised interest rates.",
    "Borrowing costs went up after the monetary policy meeting.",
    "The mayor opened a new bus line. " * 80,  # past the 256 tokens: truncated, and the others padded to it
    "O gato dorme no sofá.",
    "A prefeitura inaugurou uma linha de ônibus.",
    "ok",
]

# The first four components of sentences 0 and 5 by sentence-transformers 6.2.0 on torch 2.15.0, normalised.
REFERENCE = [[0.15908, -0.07851, -0.05525, 0.03127], [-0.00208, 0.02288, -0.03389, 0.03530]]


def _no_network(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("the model must load without a network")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return minilm.build(tmp_path_factory.mktemp("minilm") / "model")


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[TextEmbedding]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr(socket.socket, "connect", _no_network)
        patch.setattr(socket, "getaddrinfo", _no_network)
        # cache_dir: fastembed creates that directory even when it has nothing to download.
        yield TextEmbedding(
            model_name=minilm.MODEL_NAME,
            specific_model_path=str(folder),
            cache_dir=str(folder.parent / "cache"),
        )


def _embed(model: TextEmbedding, batch_size: int) -> NDArray[np.float32]:
    return np.array(list(model.embed(SENTENCES, batch_size=batch_size)), dtype=np.float32)


def test_vectors_are_unit_and_of_dimension_384(model: TextEmbedding) -> None:
    vectors = _embed(model, batch_size=8)
    assert vectors.shape == (len(SENTENCES), minilm.DIMENSION)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_vectors_are_those_of_sentence_transformers(model: TextEmbedding) -> None:
    np.testing.assert_allclose(_embed(model, batch_size=8)[[0, 5], :4], REFERENCE, atol=1e-4)


def test_related_sentences_are_closer_than_unrelated_ones(model: TextEmbedding) -> None:
    cat, kitten, rates, borrowing = _embed(model, batch_size=8)[:4]
    unrelated = max(cat @ rates, cat @ borrowing, kitten @ rates, kitten @ borrowing)
    assert min(cat @ kitten, rates @ borrowing) > unrelated + 0.2


def test_the_batch_does_not_change_the_vectors(model: TextEmbedding) -> None:
    np.testing.assert_allclose(_embed(model, batch_size=1), _embed(model, batch_size=8), atol=1e-5, rtol=0)


def test_a_whole_folder_is_kept_and_an_interrupted_one_redone(folder: Path, tmp_path: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert minilm.build(folder) == folder
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before

    (tmp_path / "model.onnx").write_bytes(b"half a model")  # no stamp beside it
    minilm.build(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(before)
    assert (tmp_path / "model.onnx").read_bytes() == (folder / "model.onnx").read_bytes()
