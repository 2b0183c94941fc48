"""One migration history for SQLite and PostgreSQL, which makes what the models say."""

import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect
from sqlmodel import SQLModel

import ingest_service.documents.idempotency
import ingest_service.documents.refusals
import ingest_service.tables  # noqa: F401
import query_service.conversations.tables  # noqa: F401
import shared.auth.tables
import shared.db.corpus  # noqa: F401
import twin_bridge.history.tables  # noqa: F401
from shared.db.engine import migrate, migration_config

ROOT = Path(__file__).parents[3]


def test_models_and_migrations_describe_the_same_tables(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_every_migration_can_be_taken_back_and_made_again(engine: Engine):
    command.downgrade(migration_config(engine), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate(engine)
    assert {table.name for table in SQLModel.metadata.sorted_tables} <= set(inspect(engine).get_table_names())


MIGRATE = """
import sys
from shared.db.engine import migrate, open_engine
from shared.settings import Settings
migrate(open_engine(Settings(_env_file=None, database_url=sys.argv[1])))
"""


def test_services_that_start_at_the_same_time_migrate_one_after_the_other(empty_engine: Engine):
    url = empty_engine.url.render_as_string(hide_password=False)
    services = [subprocess.Popen([sys.executable, "-c", MIGRATE, url], cwd=ROOT) for _ in range(3)]
    assert [service.wait() for service in services] == [0, 0, 0]
    assert inspect(empty_engine).has_table("organizations")
