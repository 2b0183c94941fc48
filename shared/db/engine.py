"""Opening the database and bringing it to the newest schema. SQLite by default, PostgreSQL by URL; same models."""

from pathlib import Path
from typing import Any, cast

import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import Dialect, Engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from shared.db.slow_statements import watch_statements
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.settings import Settings

log = get_logger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"

CONNECT_TIMEOUT_S = 5
POOL_TIMEOUT_S = 10
STATEMENT_TIMEOUT_S = 30
"""What runs longer is a fault, or waits for a lock that nobody gives up; migrations may take their time."""

AGAIN_S = 5
AWAY = "The database does not answer. Check DATABASE_URL and that it runs."


def database_url(settings: Settings) -> str:
    """The configured URL, or SQLite inside the data folder."""
    return settings.database_url or f"sqlite:///{settings.data_dir.resolve() / 'xgtwin.db'}"


def open_engine(settings: Settings) -> Engine:
    """An engine, nothing connected yet. For SQLite the folder is made and the pragmas are set on each connection.

    Its errors do not repeat the values of a statement, which may be a question, and slow statements are logged. A
    PostgreSQL server that is away, too busy or out of room raises `Unavailable` wherever it is asked.
    """
    url = database_url(settings)
    if url.startswith("sqlite"):
        engine = _open_sqlite(url, settings)
    else:
        engine = open_postgres(url)
        event.listen(engine, "handle_error", _say_what_it_means)
    watch_statements(engine, settings.query.slow_ms)
    return engine


def _open_sqlite(url: str, settings: Settings) -> Engine:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The data folder {settings.data_dir} (XGTWIN_DATA_DIR) cannot be made: {error.strerror}. "
            "Name a folder that this user may write to."
        ) from error
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": 15}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def pragmas(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")  # readers never wait for the writer
        cursor.execute("PRAGMA synchronous=NORMAL")  # in WAL mode safe against a killed process
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def open_postgres(url: str, options: str = "") -> Engine:
    """An engine for a PostgreSQL server, nothing connected yet; `options` are further `-c name=value` of each session.

    Connections are made anew after the server was away, and nothing waits long for one that is away or frozen. Raises
    `Unavailable` when all connections stay in use.
    """
    from shared.db import patient_connection  # its library is for PostgreSQL alone

    engine = sqlalchemy.create_engine(
        sqlalchemy.make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=_Pool,
        pool_pre_ping=True,
        pool_timeout=POOL_TIMEOUT_S,
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_S}s -c timezone=UTC {options}",
        },
    )

    @event.listens_for(engine, "do_connect")
    def connect(_: Dialect, __: object, arguments: Any, named: Any) -> DBAPIConnection:
        server = f"{engine.url.host}:{engine.url.port}/{engine.url.query.get('host')}"
        return cast(DBAPIConnection, patient_connection.connect(server, *arguments, **named))

    return engine


class _Pool(QueuePool):
    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except sqlalchemy.exc.TimeoutError as error:
            raise Unavailable("All connections to the database are in use.", retry_after=AGAIN_S) from error


def _say_what_it_means(context: ExceptionContext) -> None:
    # What PostgreSQL calls operational is no fault of the statement: no connection, a timeout, a deadlock, a full disk.
    trouble = isinstance(context.sqlalchemy_exception, OperationalError | InterfaceError)
    if trouble and not context.is_pre_ping:
        log.error("database_failed", error=str(context.original_exception).strip())
        raise Unavailable(AWAY, retry_after=AGAIN_S) from context.original_exception


def migration_config(engine: Engine) -> Config:
    """Alembic's configuration for this engine; there is no alembic.ini to keep in step."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    return config


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision. Safe to repeat; nothing happens when it is there already."""
    command.upgrade(migration_config(engine), "head")


def ping(engine: Engine) -> None:
    """Return if the database answers; raise `Unavailable` otherwise."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise Unavailable(AWAY, retry_after=AGAIN_S) from error
