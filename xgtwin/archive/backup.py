"""The story of `xgtwin backup`: originals first, then the database as of one moment, then vectors; the manifest last.

What the services do meanwhile does no harm. Originals never change, and those of documents that come or go while they
are copied are looked for again in the moment that counts. A document that is published anew before its vectors are
copied has none in the backup: the ingest service reads it again after a restore.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, Table, select

from shared.db.engine import database_url
from shared.db.revisions import known_revisions, revision_of
from shared.db.rows import utc_now
from shared.errors import Conflict, Unavailable
from shared.models import DocumentStatus
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.generation import InUse
from shared.version import VERSION
from xgtwin.archive.database import as_of_now, opened, shown
from xgtwin.archive.files import add_originals
from xgtwin.archive.manifest import VECTORS, Manifest, Rows, Vectors, original, rows_of
from xgtwin.archive.rows import Digest, read, to_line
from xgtwin.archive.schema import tables_at
from xgtwin.archive.vectors import Export, Published
from xgtwin.archive.writing import ArchiveWriter, new_archive

LOOKS = 3
"""At the database, while documents go whose bytes were not copied yet; after that they count as lost."""
SWAPPED = "another generation of vectors took their place meanwhile; the rest is made anew after a restore"
MISSING = (
    "the vector store has none of {number} searchable documents: the ingest service makes them when it starts again"
)


@dataclass(frozen=True)
class Snapshot:
    """What the archive holds of the database, and the documents that searches saw at that moment."""

    tables: dict[str, Rows]
    published: list[Published]
    lost_originals: int


@dataclass(frozen=True)
class Made:
    """A backup at `path`, and what it `lacks`, as its name says it. Where something is `amiss`, a person has to mend it
    before the next one is whole."""

    path: Path
    manifest: Manifest
    lacks: tuple[str, ...]
    amiss: bool


@dataclass(frozen=True)
class Added:
    """The vectors that the archive holds, what it lacks of them and why, and whether that is amiss."""

    vectors: Vectors | None = None
    lacks: str = ""
    without: str = ""
    amiss: bool = False


def back_up(settings: Settings, target: Path) -> Made:
    """Write a backup of the configured installation to `target`; what is in it.

    The vectors are left out, and the manifest says why, when the store cannot be opened. Nothing is amiss while xgtwin
    runs and embedded ones are its alone. Raises `NotFound` or `Unavailable` without a database, and what `new_archive`
    raises.
    """
    with opened(settings, database_url(settings), must_exist=True) as engine, new_archive(target) as archive:
        revision = _known_revision(engine)
        tables = tables_at(revision)
        documents = next(table for table in tables if table.name == "documents")
        snapshot = _add_originals_and_rows(archive, engine, tables, documents, settings.data_dir)
        added = _add_vectors(archive, settings, engine, documents, snapshot.published)
        manifest = Manifest(
            product=VERSION,
            revision=revision,
            made_at=utc_now(),
            tables=snapshot.tables,
            vectors=added.vectors,
            without_vectors=added.without,
            lost_originals=snapshot.lost_originals,
            members=archive.members,
        )
        lacks = tuple(filter(None, [added.lacks, "some-originals" if snapshot.lost_originals else ""]))
        archive.finish(manifest, lacks)
    return Made(archive.target, manifest, lacks, added.amiss or snapshot.lost_originals > 0)


def _known_revision(engine: Engine) -> str:
    revision = revision_of(engine)
    if revision not in known_revisions():
        raise Conflict(
            f"{shown(engine)} has the schema {revision or 'of no release'}, which this release does not know."
        )
    return str(revision)


def _add_originals_and_rows(
    archive: ArchiveWriter, engine: Engine, tables: list[Table], documents: Table, data_dir: Path
) -> Snapshot:
    with as_of_now(engine) as connection:
        needed = _originals_needed(connection, documents, archive)
    add_originals(archive, data_dir, needed)  # the long part: no transaction stays open for it
    looks = 0
    while True:
        looks += 1
        with as_of_now(engine) as connection:
            lost = add_originals(archive, data_dir, _originals_needed(connection, documents, archive))
            if lost and looks < LOOKS:
                continue  # their documents were deleted just now: a later moment names them no more
            rows = {table.name: _add_rows(archive, connection, table) for table in tables}
            return Snapshot(rows, _published(connection, documents), lost)


def _originals_needed(connection: Connection, documents: Table, archive: ArchiveWriter) -> list[str]:
    """Hashes of all bytes that living documents name and the archive does not hold yet."""
    wanted = select(documents.c.content_hash, documents.c.published_hash).where(*_alive(documents))
    named = {content_hash for row in connection.execute(wanted) for content_hash in row if content_hash}
    return sorted(content_hash for content_hash in named if original(content_hash) not in archive.members)


def _alive(documents: Table) -> tuple[ColumnElement[bool], ...]:
    return documents.c.deleted_at.is_(None), documents.c.status != DocumentStatus.DELETING


def _published(connection: Connection, documents: Table) -> list[Published]:
    wanted = select(documents.c.organization_id, documents.c.id, documents.c.published_version).where(
        documents.c.published_version.is_not(None), *_alive(documents)
    )
    return [Published(*row) for row in connection.execute(wanted)]


def _add_rows(archive: ArchiveWriter, connection: Connection, table: Table) -> Rows:
    digest = Digest()
    archive.add(rows_of(table.name), _lines(connection, table, digest))
    return Rows(rows=digest.rows, hash=digest.hash)


def _lines(connection: Connection, table: Table, digest: Digest) -> Iterator[bytes]:
    for row in read(connection, table):
        line = to_line(row)
        digest.add(line)
        yield line + b"\n"


def _add_vectors(
    archive: ArchiveWriter, settings: Settings, engine: Engine, documents: Table, published: list[Published]
) -> Added:
    if not published:
        return Added()
    try:
        store = open_store(settings, None)
    except Unavailable as error:
        return Added(lacks="vectors", without=error.detail, amiss=not isinstance(error, InUse))
    with closing(store):
        export = Export(store, published)
        archive.add(VECTORS, export)
        vectors = Vectors(made_with=export.made_with, documents=export.documents, chunks=export.chunks)
        if missing := _still_missing(engine, documents, export.missing):
            return Added(vectors, "some-vectors", MISSING.format(number=missing), amiss=True)
        return Added(vectors, without=SWAPPED if export.swapped else "")


def _still_missing(engine: Engine, documents: Table, missing: list[Published]) -> int:
    """How many of these are not only missing because they were deleted meanwhile."""
    if not missing:
        return 0
    with as_of_now(engine) as connection:
        return len(set(missing).intersection(_published(connection, documents)))
