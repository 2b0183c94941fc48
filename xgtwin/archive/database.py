"""A database as a whole: opened by its URL, held alone, or read as it is at one moment."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from shared.db.engine import open_engine, open_postgres
from shared.db.revisions import known_revisions, revision_of
from shared.errors import BadRequest, Conflict, NotFound, Unavailable
from shared.settings import Settings
from xgtwin.archive.rows import filled_tables
from xgtwin.archive.schema import tables_at

STOP_FIRST = "Stop xgtwin there first (Ctrl+C, `docker compose stop`), then run this again."
POSTGRESQL = {"postgresql", "postgres"}
LOCK_NOT_AVAILABLE = "55P03"
LEAVING_S = 3.0
"""A session of PostgreSQL is listed for a moment after its program has gone."""


@contextmanager
def opened(settings: Settings, url: str, *, must_exist: bool = False) -> Iterator[Engine]:
    """The engine of a URL. Raises `BadRequest` for one that cannot be understood, `NotFound` for a SQLite file that
    must exist and does not, and `Unavailable`, with its own words, when the database fails or is away."""
    try:
        name = make_url(url)
    except ArgumentError as error:
        raise BadRequest("A database is named by a URL: sqlite:///data/xgtwin.db or postgresql://...") from error
    if name.get_backend_name() not in {"sqlite", *POSTGRESQL}:
        raise BadRequest(f"{name.get_backend_name()} is no database of ours: it is SQLite or PostgreSQL.")
    if must_exist and name.get_backend_name() == "sqlite" and not Path(name.database or "").is_file():
        raise NotFound(f"There is no SQLite file {name.database}.")
    if name.get_backend_name() in POSTGRESQL:
        engine = open_postgres(url)  # whose errors keep the server's own words: what is wrong differs from URL to URL
    else:
        engine = open_engine(settings.model_copy(update={"database_url": url}))
    try:
        if name.get_backend_name() in POSTGRESQL:
            engine.connect().close()  # before another one is opened beside it: the error must name the right one
        yield engine
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Unavailable(f"{shown(engine)} does not do what was asked: {reason}") from error
    finally:
        engine.dispose()


def shown(engine: Engine) -> str:
    """The URL without its password."""
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def alone(engine: Engine, tables: Sequence[Table] = ()) -> Iterator[Connection]:
    """One transaction while nobody else uses the database; committed at the end, or all of it undone.

    SQLite: its file is locked for everybody else, which fails while any process has it open. PostgreSQL: other sessions
    of this database are asked for, and `tables` locked against writers. Raises `Conflict` if it is in use.
    """
    engine.dispose()  # an idle connection of our own pool would count as somebody else's
    with _one_moment(engine) as connection:
        if connection.dialect.name == "sqlite":
            _lock_the_file(connection)
        else:
            _lock_the_tables(connection, tables)
            _require_no_other_session(connection)
        yield connection
        if connection.dialect.name != "sqlite":
            _require_no_other_session(connection)
        connection.commit()
    engine.dispose()  # SQLite lets go of the file when the connection is closed


@contextmanager
def as_of_now(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it is at its first look, whatever others write meanwhile."""
    with _one_moment(engine) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        yield connection


def require_new(engine: Engine, advice: str) -> None:
    """Raises `Conflict` unless the database holds nothing: no tables of ours, or tables without rows."""
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
        return  # a look would make the file
    revision = revision_of(engine)
    if revision is None:
        names = {table.name for table in tables_at(known_revisions()[-1])}
        filled = sorted(names.intersection(inspect(engine).get_table_names()))
    elif revision in known_revisions():
        with engine.connect() as connection:
            filled = filled_tables(connection, tables_at(revision))
    else:
        raise Conflict(f"{shown(engine)} was made by a newer release (schema {revision}). {advice}")
    if filled:
        raise Conflict(f"{shown(engine)} is not empty: it has {', '.join(filled)}. {advice}")


@contextmanager
def _one_moment(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            yield connection
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")  # it is as long as the tables are
            yield connection


def _lock_the_file(connection: Connection) -> None:
    try:
        connection.exec_driver_sql("PRAGMA busy_timeout=1000")
        connection.exec_driver_sql("PRAGMA locking_mode=EXCLUSIVE")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        raise Conflict(f"{shown(connection.engine)} is in use. {STOP_FIRST}") from error


def _lock_the_tables(connection: Connection, tables: Sequence[Table]) -> None:
    try:
        for table in tables:  # before the first look: what is seen is then what the writers before left
            connection.exec_driver_sql(f'LOCK TABLE "{table.name}" IN EXCLUSIVE MODE NOWAIT')
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        raise Conflict(f"{shown(connection.engine)} is in use: a table is locked. {STOP_FIRST}") from error


def _require_no_other_session(connection: Connection) -> None:
    deadline = time.monotonic() + LEAVING_S
    while names := _other_sessions(connection):
        if time.monotonic() > deadline:
            who = ", ".join(sorted(set(names)))
            raise Conflict(f"{shown(connection.engine)} is in use by others ({who}). {STOP_FIRST}")
        time.sleep(LEAVING_S / 20)


def _other_sessions(connection: Connection) -> list[str]:
    connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")  # else a transaction sees the same list again
    return list(
        connection.execute(
            text(
                "SELECT coalesce(nullif(application_name, ''), 'unnamed') FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL "
                "AND coalesce(backend_type, 'client backend') = 'client backend'"
            )
        ).scalars()
    )
