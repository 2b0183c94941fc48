"""One process at a time leads, and whoever lost the lead notices."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from shared.db.engine import open_engine
from shared.db.leadership import Leader, Leadership
from shared.errors import Unavailable
from shared.settings import Settings
from tests.acceptance.product import wait_until
from tests.postgres import Databases


@pytest.fixture
def engines(tmp_path: Path, postgres: Databases) -> Iterator[Callable[[], Engine]]:
    """Each call is another process, as PostgreSQL sees it."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres.empty())

        def opened() -> Engine:
            engine = open_engine(Settings(_env_file=None, data_dir=tmp_path, database_url=url))
            stack.callback(engine.dispose)
            return engine

        yield opened


def test_one_leads_in_each_matter_until_it_gives_up(engines: Callable[[], Engine]):
    one, other = Leadership(engines(), "ingest"), Leadership(engines(), "ingest")
    elsewhere = Leadership(engines(), "twin")
    assert [each.held() for each in (one, other, one, other, elsewhere)] == [True, False, True, False, True]
    one.give_up()
    wait_until(other.held, 60, "the other to lead")  # the server frees the lock when it sees the connection closed
    assert not one.held()
    for each in (one, other, elsewhere):
        each.give_up()


def test_whoever_is_cut_off_from_the_database_no_longer_leads(engines: Callable[[], Engine]):
    observer = engines()
    one, other = Leadership(engines(), "ingest"), Leadership(engines(), "ingest")
    assert (one.held(), other.held(), one.term) == (True, False, 1)
    with observer.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        )
    wait_until(other.held, 60, "the other to lead")
    with pytest.raises(Unavailable):
        one.held()
    assert not one.held()
    other.give_up()
    wait_until(one.held, 60, "the lead to come back")
    assert one.term == 2, "another process led in between"
    one.give_up()


def test_a_leader_begins_before_it_says_that_it_leads_and_tries_again_if_that_fails(engines: Callable[[], Engine]):
    first = Leadership(engines(), "ingest")
    assert first.held()
    seen: list[bool] = []

    def begin() -> None:
        seen.append(leader.leads)
        if len(seen) == 1:
            raise Unavailable("The store does not answer.")

    leader = Leader(Leadership(engines(), "ingest"), begin)
    leader.start()
    assert not leader.leads
    first.give_up()
    wait_until(lambda: leader.leads, 60, "the lead")
    assert seen == [False, False]
    leader.stop()
    wait_until(first.held, 60, "the lead to come back")
    first.give_up()
