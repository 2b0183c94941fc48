"""The story of `xgtwin migrate`: all rows of one database into an empty one, proven equal before it counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Table

from shared.db.corpus import all_corpora_changed
from shared.db.engine import migrate
from shared.db.revisions import known_revisions, revision_of
from shared.errors import Conflict, XgtwinError
from shared.settings import Settings
from xgtwin.archive.database import alone, opened, require_new, shown
from xgtwin.archive.rows import Digest, clear_the_new, digest_of, read, to_line, write
from xgtwin.archive.schema import tables_at


@dataclass(frozen=True)
class Copied:
    """A table that is the same on both sides: `hash` is `Digest.hash`."""

    table: str
    rows: int
    hash: str


def copy_database(settings: Settings, source: str, target: str) -> list[Copied]:
    """Copy every table of the database `source` (a URL) into the empty database `target`, in one transaction there.

    Both are held alone meanwhile. Raises `Conflict` if one is in use, the target is not empty, or a schema is not this
    release's; whatever is raised, the target holds no row. Afterwards alone the target's versions of the documents
    rise: what was derived from another database's is not given as theirs.
    """
    with opened(settings, source, must_exist=True) as here, opened(settings, target) as there:
        if shown(here) == shown(there):
            raise Conflict("Source and target are the same database.")
        _require_newest(here)
        require_new(there, "Name an empty database, or empty this one.")
        if revision_of(there) is None:
            migrate(there)
        _require_newest(there)
        tables = tables_at(known_revisions()[-1])
        with alone(here, tables) as old, alone(there, tables) as new:
            clear_the_new(new, tables)
            copied = [_copy(old, new, table) for table in tables]
        all_corpora_changed(there)
        return copied


def _copy(old: Connection, new: Connection, table: Table) -> Copied:
    was = Digest()
    write(new, table, _counted(old, table, was))
    if digest_of(new, table) != was:
        raise XgtwinError(f"The table {table.name} reads otherwise in the target than in the source; nothing was kept.")
    return Copied(table.name, was.rows, was.hash)


def _counted(connection: Connection, table: Table, digest: Digest) -> Iterator[dict[str, Any]]:
    for row in read(connection, table):
        digest.add(to_line(row))
        yield row


def _require_newest(engine: Engine) -> None:
    revision, newest = revision_of(engine), known_revisions()[-1]
    if revision != newest:
        raise Conflict(
            f"{shown(engine)} has the schema {revision or 'of no release'}, this release has {newest}. "
            "Bring it there with DATABASE_URL set to it: xgtwin migrate"
        )
