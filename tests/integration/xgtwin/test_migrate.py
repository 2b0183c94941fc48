"""`xgtwin migrate`: every row of a real installation in another database, in every direction, or nothing at all."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.auth.keys import check_key
from shared.db.corpus import corpus_version
from shared.db.engine import migrate, open_engine
from shared.db.revisions import bring_to, known_revisions, revision_of
from shared.errors import BadRequest, Conflict, NotFound, Unavailable, Unprocessable
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.settings import Settings
from tests.integration.xgtwin.installation import QUESTION, STATES, Filled, fill, running, settings_of
from tests.postgres import Databases
from twin_bridge.history.store import HistoryStore
from xgtwin.archive.copying import copy_database
from xgtwin.archive.rows import digest_of
from xgtwin.archive.schema import tables_at

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    return fill(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def source(filled: Filled, tmp_path: Path) -> str:
    """The filled database, as a SQLite file of the test's own."""
    return f"sqlite:///{filled.copy(tmp_path).data_dir / 'xgtwin.db'}"


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path, stack: ExitStack) -> str:
    """An empty database of either kind."""
    return _empty(request, tmp_path, request.param, stack)


def _empty(request: pytest.FixtureRequest, tmp_path: Path, kind: str, stack: ExitStack) -> str:
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'target.db'}"
    postgres: Databases = request.getfixturevalue("postgres")
    return stack.enter_context(postgres.empty())


def _settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path)


def _contents(url: str) -> dict[str, tuple[int, str]]:
    engine = open_engine(Settings(_env_file=None, database_url=url))
    with engine.connect() as connection:
        found = {table.name: digest_of(connection, table) for table in tables_at(known_revisions()[-1])}
    engine.dispose()
    return {name: (digest.rows, digest.hash) for name, digest in found.items()}


def _corpus(url: str) -> int:
    engine = open_engine(Settings(_env_file=None, database_url=url))
    version = corpus_version(engine, DEFAULT_ORGANIZATION_ID)
    engine.dispose()
    return version


def test_every_row_is_in_the_other_database_and_the_services_answer_from_it(
    filled: Filled, source: str, target: str, tmp_path: Path
):
    copied = copy_database(_settings(tmp_path), source, target)
    before, after = _contents(source), _contents(target)
    assert {each.table: (each.rows, each.hash) for each in copied} == before
    assert {**after, "corpus_versions": before["corpus_versions"]} == before
    assert {each.table: each.rows for each in copied}["state_history"] == STATES
    with running(settings_of(tmp_path, target)) as services:
        assert services.documents() == filled.documents
        assert services.messages(filled.conversation) == filled.messages
        answer = services.ask()
        assert answer["grounded"]
        assert answer["citations"][0]["filename"] == "bancada.txt"
        assert check_key(services.engine, filled.key)


def test_what_is_written_afterwards_gets_numbers_of_its_own(source: str, target: str, tmp_path: Path):
    copy_database(_settings(tmp_path), source, target)
    engine = open_engine(Settings(_env_file=None, database_url=target))
    with engine.begin() as connection:
        columns = 'device_row_id, at_ms, rev, online, stale, removed, "on", bri, mode, r, g, b, ct, effect'
        again = f"INSERT INTO state_history ({columns}) SELECT {columns} FROM state_history"
        assert connection.execute(text(again)).rowcount == STATES
    assert HistoryStore(engine, "xgtwin").open().devices
    engine.dispose()


@pytest.mark.parametrize("back", KINDS)
def test_the_way_back_gives_the_same_rows(
    source: str, back: str, tmp_path: Path, request: pytest.FixtureRequest, stack: ExitStack
):
    there = stack.enter_context(request.getfixturevalue("postgres").migrated())
    returned = _empty(request, tmp_path, back, stack)
    before = _contents(source)
    copy_database(_settings(tmp_path), source, there)
    copy_database(_settings(tmp_path), there, returned)
    assert {**_contents(returned), "corpus_versions": before["corpus_versions"]} == before


def test_answers_that_were_kept_before_a_copy_count_no_more_after_it(source: str, target: str, tmp_path: Path):
    """The target may be put in the place of a database that a Redis holds answers of."""
    copy_database(_settings(tmp_path), source, target)
    was, came = _corpus(source), _corpus(target)
    assert came > was


def test_a_target_that_holds_something_is_left_alone(source: str, target: str, tmp_path: Path):
    copy_database(_settings(tmp_path), source, target)
    before = _contents(target)
    with pytest.raises(Conflict, match=r"is not empty: it has .*documents"):
        copy_database(_settings(tmp_path), source, target)
    assert _contents(target) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_in_use_is_not_copied(
    filled: Filled, kind: str, tmp_path: Path, request: pytest.FixtureRequest, stack: ExitStack
):
    settings = filled.copy(tmp_path)
    url = f"sqlite:///{settings.data_dir / 'xgtwin.db'}"
    target = f"sqlite:///{tmp_path / 'target.db'}"
    if kind == "postgresql":
        there = stack.enter_context(request.getfixturevalue("postgres").empty())
        copy_database(settings, url, there)
        url = there
    with running(settings_of(tmp_path, url)), pytest.raises(Conflict, match=r"is in use.*Stop xgtwin there first"):
        copy_database(settings, url, target)
    assert copy_database(settings, url, target)


@pytest.mark.parametrize("scheme", ["postgresql://", "postgres://"])
def test_a_table_that_somebody_writes_to_is_told_as_use_by_others(
    source: str, scheme: str, tmp_path: Path, postgres: Databases
):
    with postgres.migrated() as url:
        target = url.replace("postgresql://", scheme)
        engine = open_engine(Settings(_env_file=None, database_url=target))
        with engine.begin() as writer:
            writer.exec_driver_sql("LOCK TABLE documents IN ROW EXCLUSIVE MODE")
            with pytest.raises(Conflict, match=r"is in use: a table is locked.*Stop xgtwin there first"):
                copy_database(_settings(tmp_path), source, target)
        engine.dispose()
        assert copy_database(_settings(tmp_path), source, target)


def test_a_database_that_is_not_there_is_said_not_to_exist(source: str, tmp_path: Path, postgres: Databases):
    absent = postgres.url("absent")
    for urls in ((source, absent), (absent, source)):
        with pytest.raises(Unavailable, match=r'/absent.* does not do what was asked: .*"absent" does not exist'):
            copy_database(_settings(tmp_path), *urls)


def test_a_schema_of_another_release_is_named_with_what_to_do(source: str, target: str, tmp_path: Path):
    engine = open_engine(Settings(_env_file=None, database_url=target))
    bring_to(engine, "0010")
    engine.dispose()
    with pytest.raises(Conflict, match=r"has the schema 0010, this release has .*xgtwin migrate"):
        copy_database(_settings(tmp_path), source, target)
    migrate(engine)
    assert revision_of(engine) == known_revisions()[-1]
    engine.dispose()
    assert copy_database(_settings(tmp_path), source, target)


def test_a_row_that_postgresql_cannot_hold_is_told_and_nothing_is_kept(
    source: str, tmp_path: Path, postgres: Databases
):
    engine = open_engine(Settings(_env_file=None, database_url=source))
    with engine.begin() as connection:
        connection.execute(text("UPDATE feedback SET comment = 'a' || char(0) || 'b'"))
    engine.dispose()
    with postgres.empty() as target:
        with pytest.raises(Unprocessable, match=r"table feedback .*NUL"):
            copy_database(_settings(tmp_path), source, target)
        assert _contents(target)["documents"][0] == 0


def test_urls_that_name_nothing_are_told_apart(source: str, tmp_path: Path):
    settings = _settings(tmp_path)
    with pytest.raises(NotFound, match=r"no SQLite file .*absent\.db"):
        copy_database(settings, f"sqlite:///{tmp_path}/absent.db", source)
    with pytest.raises(BadRequest, match="named by a URL"):
        copy_database(settings, "xgtwin.db", source)
    with pytest.raises(BadRequest, match="mysql is no database of ours"):
        copy_database(settings, source, "mysql://u:p@host/db")
    with pytest.raises(Conflict, match="same database"):
        copy_database(settings, source, source)


def test_a_password_is_never_shown(source: str, tmp_path: Path, postgres: Databases):
    with postgres.migrated() as target:
        secret = target.replace("postgres@", "postgres:s3cret@")
        copy_database(_settings(tmp_path), source, secret)
        with pytest.raises(Conflict) as refused:
            copy_database(_settings(tmp_path), source, secret)
    assert "s3cret" not in refused.value.detail


def test_the_questions_that_were_asked_are_not_empty(filled: Filled):
    assert filled.messages[0]["content"] == QUESTION
    assert len(filled.messages) == 4
