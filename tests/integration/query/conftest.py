from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from query_service.bootstrap import build_app
from shared.db.engine import migrate, open_engine
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.generational_store import GenerationalStore
from tests.integration.query.library import fill
from tests.integration.query.servers import ModelServer, serving

NOWHERE = "http://127.0.0.1:1"
"""An ingest service that does not answer."""

Build = Callable[..., FastAPI]


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GenerationalStore]:
    """The real embedded store, filled with the library once."""
    store = open_store(Settings(data_dir=tmp_path_factory.mktemp("library"), _env_file=None), None)
    fill(store)
    yield store
    store.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(Settings(data_dir=tmp_path, _env_file=None))
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def build(tmp_path: Path, engine: Engine, store: GenerationalStore) -> Build:
    """The service with some settings of one's own; without a language model by default."""

    def build(*, over: GenerationalStore = store, **settings: Any) -> FastAPI:
        settings.setdefault("ingest", {"url": NOWHERE})
        chosen = Settings(data_dir=tmp_path, _env_file=None, **settings)
        return build_app(chosen, engine=engine, store=over)

    return build


@pytest.fixture
def client(build: Build) -> Iterator[TestClient]:
    with TestClient(build()) as client:
        yield client


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """A language model over real HTTP; `model.url` is its base URL."""
    server = ModelServer()
    with serving(server.app) as address:
        server.url = f"{address}/v1"
        yield server


@pytest.fixture
def llm(model: ModelServer) -> dict[str, object]:
    """Settings that use it, with deadlines short enough for tests."""
    return {"base_url": model.url, "model": "scripted", "first_token_s": 2, "timeout_s": 4}
