"""Waiting for PostgreSQL: as long as it lives, and no longer."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from shared.db.engine import open_postgres, ping
from shared.errors import Unavailable
from tests.acceptance.product import wait_until
from tests.postgres import LocalPostgres, local_postgres


@pytest.fixture(scope="module")
def server() -> Iterator[LocalPostgres]:
    with local_postgres() as server:
        yield server


@pytest.fixture
def engine(server: LocalPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("shared.db.patient_connection.SILENCE_S", 0.2)
    engine = open_postgres(server.url("postgres"))
    yield engine
    engine.dispose()


def test_a_statement_may_be_silent_for_long_while_the_server_lives(engine: Engine):
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_sleep(1)"))
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_statement_under_way_ends_when_the_server_is_frozen(engine: Engine, server: LocalPostgres):
    begun = threading.Event()

    def wait_for_the_server() -> None:
        with engine.connect() as connection:
            begun.set()
            connection.execute(text("SELECT pg_sleep(600)"))

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_for_the_server)
        assert begun.wait(30)
        with server.frozen():
            with pytest.raises(OperationalError, match="answers nobody"):
                waiting.result(timeout=60)
            with pytest.raises(Unavailable):
                ping(engine)

    def answers() -> bool:
        try:
            ping(engine)
        except Unavailable:
            return False
        return True

    wait_until(answers, 30, "the server to be asked again")
