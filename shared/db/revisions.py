"""Which schema a database has, as the numbers of the migrations tell."""

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from shared.db.engine import MIGRATIONS, migration_config


def revision_of(engine: Engine) -> str | None:
    """The revision that the database is at; None before the first migration."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def known_revisions() -> list[str]:
    """All revisions of this release, oldest first."""
    return [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


def bring_to(engine: Engine, revision: str) -> None:
    """Give the database the schema of a revision that this release knows, an older one too: only where no rows are."""
    known, current = known_revisions(), revision_of(engine)
    if current is not None and known.index(current) > known.index(revision):
        command.downgrade(migration_config(engine), revision)
    else:
        command.upgrade(migration_config(engine), revision)
