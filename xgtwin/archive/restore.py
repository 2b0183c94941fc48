"""The story of `xgtwin restore`: look at everything before anything is written, then originals, database, vectors.

Whenever it is killed, what is there is either an empty installation, onto which it can be run again, or one whose
missing vectors the ingest service makes anew at its start.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Table

from shared.db.corpus import all_corpora_changed
from shared.db.engine import database_url, migrate
from shared.db.revisions import bring_to, known_revisions
from shared.errors import Unavailable, Unprocessable
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.settings import Settings
from xgtwin.archive.database import alone, opened, require_new
from xgtwin.archive.files import is_file_of_the_data_folder, put_back
from xgtwin.archive.manifest import VECTORS, Manifest, Rows, rows_of
from xgtwin.archive.reading import ArchiveReader, opened_archive
from xgtwin.archive.rows import ORGANIZATIONS, Digest, clear_the_new, digest_of, from_line, write
from xgtwin.archive.schema import tables_at
from xgtwin.archive.vectors import put_back as put_vectors_back
from xgtwin.archive.vectors import require_empty, require_readable

ADVICE = "A backup is put back into a new installation only: name another DATABASE_URL or XGTWIN_DATA_DIR."


def restore(settings: Settings, backup: Path) -> Manifest:
    """Put a backup back into the configured installation, which must be empty and not running; what was in it.

    Raises `Conflict` if it is not, `Unprocessable` for a backup that is damaged, forged or of a newer release, and
    `Unavailable` if something that is needed does not answer; until everything was checked nothing is written.
    """
    with ExitStack() as stack:
        archive = stack.enter_context(opened_archive(backup))
        manifest = archive.manifest
        tables = _tables(manifest)
        engine = stack.enter_context(opened(settings, database_url(settings)))
        require_new(engine, ADVICE)
        archive.verify()
        _require_rows(archive, tables)
        require_empty(settings, _organizations(archive, tables))
        _put_files_back(archive, settings.data_dir)
        _put_rows_back(archive, engine, tables)
        if manifest.vectors is not None:
            put_vectors_back(settings, engine, manifest.vectors.made_with, archive.lines(VECTORS))
    return manifest


def _tables(manifest: Manifest) -> list[Table]:
    if manifest.revision not in known_revisions():
        raise Unprocessable(
            f"xgtwin {manifest.product} made this backup, with the schema {manifest.revision}, which this release does "
            "not know: restore it with that one or a newer one."
        )
    tables = tables_at(manifest.revision)
    if {table.name for table in tables} != manifest.tables.keys():
        raise Unprocessable("The backup does not hold the tables of its schema.")
    if any(rows_of(name) not in manifest.members for name in manifest.tables):
        raise Unprocessable("The backup lacks rows of its tables.")
    if (manifest.vectors is not None) != (VECTORS in manifest.members):
        raise Unprocessable("The backup does not hold the vectors that its manifest tells of.")
    return tables


def _require_rows(archive: ArchiveReader, tables: Sequence[Table]) -> None:
    """Raises `Unprocessable` unless every line is a row of its table or a vector, and all rows are there."""
    for table in tables:
        digest = Digest()
        for line in archive.lines(rows_of(table.name)):
            from_line(line, table)
            digest.add(line)
        _require_same(table, digest, archive.manifest)
    if archive.manifest.vectors is not None:
        require_readable(archive.lines(VECTORS), archive.manifest.vectors.made_with)


def _organizations(archive: ArchiveReader, tables: Sequence[Table]) -> set[UUID]:
    table = next(table for table in tables if table.name == ORGANIZATIONS)
    return {row["id"] for row in _rows(archive, table)} | {DEFAULT_ORGANIZATION_ID}


def _put_files_back(archive: ArchiveReader, data_dir: Path) -> None:
    try:
        for name in filter(is_file_of_the_data_folder, archive.manifest.members):
            put_back(data_dir, name, archive.pieces(name))
    except OSError as error:
        raise Unavailable(f"The data folder (XGTWIN_DATA_DIR) cannot be written: {error.strerror}.") from error


def _put_rows_back(archive: ArchiveReader, engine: Engine, tables: Sequence[Table]) -> None:
    bring_to(engine, archive.manifest.revision)
    with alone(engine, tables) as connection:
        clear_the_new(connection, tables)
        for table in tables:
            write(connection, table, _rows(archive, table))
            _require_same(table, digest_of(connection, table), archive.manifest)
    migrate(engine)
    all_corpora_changed(engine)


def _rows(archive: ArchiveReader, table: Table) -> Iterator[dict[str, Any]]:
    return (from_line(line, table) for line in archive.lines(rows_of(table.name)))


def _require_same(table: Table, digest: Digest, manifest: Manifest) -> None:
    if Rows(rows=digest.rows, hash=digest.hash) != manifest.tables[table.name]:
        raise Unprocessable(f"The rows of {table.name} are not those that the backup was made of.")
