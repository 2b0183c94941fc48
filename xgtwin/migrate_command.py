"""`xgtwin migrate`: the schema brought up to date, or all rows copied into another database."""

from rich.console import Console
from rich.table import Table

from shared.db.engine import database_url, open_engine
from shared.db.engine import migrate as upgrade
from shared.db.revisions import known_revisions, revision_of
from shared.errors import BadRequest
from shared.settings import Settings
from xgtwin.archive.copying import copy_database
from xgtwin.archive.database import shown

SHOWN_HASH = 16


def migrate(settings: Settings, source: str, target: str) -> None:
    """Copy `source` to `target`, or else to the configured database, and print what was copied; without either, give
    the configured database the newest schema. Raises `BadRequest` for a target alone."""
    if target and not source:
        raise BadRequest("Name a source too: xgtwin migrate --from sqlite:///data/xgtwin.db --to postgresql://...")
    if source:
        _copy(settings, source, target or database_url(settings))
    else:
        _upgrade(settings)


def _upgrade(settings: Settings) -> None:
    engine = open_engine(settings)
    before = revision_of(engine)
    upgrade(engine)
    newest = known_revisions()[-1]
    came = "is there already" if before == newest else f"came from {before or 'nothing'}"
    print(f"{shown(engine)} has the schema {newest}; it {came}.")
    engine.dispose()


def _copy(settings: Settings, source: str, target: str) -> None:
    copied = copy_database(settings, source, target)
    table = Table("table", "rows", "content (both sides)", box=None)
    for each in copied:
        table.add_row(each.table, str(each.rows), each.hash[:SHOWN_HASH])
    Console(highlight=False).print(table)
    print(f"{sum(each.rows for each in copied)} rows are in the target, equal to the source. The source is as it was.")
    print(
        "DATABASE_URL must name the target at the next start. Originals (originals/), recognised pages (recognised/) "
        "and vectors are not in SQL: they stay in the data folder (XGTWIN_DATA_DIR) and the vector store."
    )
