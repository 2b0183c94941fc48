"""A PostgreSQL that was stopped keeps its connections up and says nothing: nobody waits for it for ever."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from fastapi.testclient import TestClient
from httpx2 import Response

from query_service.bootstrap import build_app
from shared.db.engine import migrate, open_engine
from shared.part_settings import StoreSettings
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from tests.acceptance.product import wait_until
from tests.integration.query.conftest import NOWHERE
from tests.integration.query.library import fill
from tests.integration.query.test_database_away import QUESTION
from tests.postgres import local_postgres

BOUND_S = 75
"""Of 20 callers, for 20 s at most: without a bound it is for ever."""


def test_callers_are_refused_while_the_database_is_frozen_and_answered_when_it_goes_on(tmp_path: Path):
    with local_postgres() as server:
        at, vectors = server.url("postgres"), StoreSettings(kind="pgvector")
        settings = Settings(data_dir=tmp_path, _env_file=None, database_url=at, store=vectors, ingest={"url": NOWHERE})
        engine = open_engine(settings)
        migrate(engine)
        store = open_store(settings, None)
        fill(store)
        with TestClient(build_app(settings, engine=engine, store=store)) as client, ThreadPoolExecutor(20) as callers:

            def asked() -> Response:
                return client.post("/ask", json=QUESTION)

            def searched() -> Response:
                return client.post("/search", json={"query": "fundação"})

            assert asked().status_code == searched().status_code == 200
            with server.frozen():
                waiting: list[Future[Response]] = [callers.submit(each) for each in [asked, searched] * 10]
                assert client.get("/livez").status_code == 200
                refused = [each.result(timeout=BOUND_S) for each in waiting]
            assert {answer.status_code for answer in refused} == {503}
            assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
            wait_until(lambda: asked().status_code == searched().status_code == 200, 30, "answers again")
        store.close()
        engine.dispose()
