"""Opening the database and bringing it to the newest schema. SQLite by default, PostgreSQL by URL; same models."""

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, event, text

from shared.db.slow_statements import watch_statements
from shared.errors import Unavailable
from shared.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"

CONNECT_TIMEOUT_S = 5
POOL_TIMEOUT_S = 10
STATEMENT_TIMEOUT_S = 30
"""What runs longer is a fault, or waits for a lock that nobody gives up; migrations may take their time."""


def database_url(settings: Settings) -> str:
    """The configured URL, or SQLite inside the data folder."""
    return settings.database_url or f"sqlite:///{settings.data_dir.resolve() / 'xgtwin.db'}"


def open_engine(settings: Settings) -> Engine:
    """An engine, nothing connected yet. For SQLite the folder is made and the pragmas are set on each connection.

    Its errors do not repeat the values of a statement, which may be a question, and slow statements are logged.
    """
    url = database_url(settings)
    engine = _open_sqlite(url, settings) if url.startswith("sqlite") else open_postgres(url)
    watch_statements(engine, settings.query.slow_ms)
    return engine


def _open_sqlite(url: str, settings: Settings) -> Engine:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": 15}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def pragmas(connection: sqlalchemy.engine.interfaces.DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")  # readers never wait for the writer
        cursor.execute("PRAGMA synchronous=NORMAL")  # in WAL mode safe against a killed process
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def open_postgres(url: str, options: str = "") -> Engine:
    """An engine for a PostgreSQL server, nothing connected yet; `options` are further `-c name=value` of each session.

    Connections are made anew after the server was away, and nothing waits for it for long.
    """
    return sqlalchemy.create_engine(
        sqlalchemy.make_url(url).set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_timeout=POOL_TIMEOUT_S,
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_S}s -c timezone=UTC {options}",
        },
    )


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
        raise Unavailable("The database does not answer. Check DATABASE_URL and that it runs.") from error
