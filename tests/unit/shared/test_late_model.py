"""An embedding model that is tried again and again."""

import time

import pytest

from shared.embeddings.late import LateModel, Say
from shared.embeddings.model import ModelState
from shared.embeddings.protocol import Embedder
from tests.integration.ingest.test_filling import Letters


def test_an_error_that_nobody_foresaw_is_told_and_the_next_attempt_brings_the_model(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.embeddings.late.LOOK_AGAIN_S", 0.05)
    attempts: list[ModelState] = []

    def attempt(_: Say) -> Embedder:
        attempts.append(model.status().state)
        if len(attempts) < 3:
            raise ValueError("not JSON")
        return Letters()

    model = LateModel("letters", attempt)
    model.start(at_once=True)
    deadline = time.monotonic() + 20
    while model.current() is None:
        assert time.monotonic() < deadline, model.status()
        time.sleep(0.02)
    assert attempts[1:] == [ModelState.WAITING] * 2
    assert model.status().state == ModelState.READY
    model.close()
