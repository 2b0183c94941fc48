"""Tables of one generation of vectors in PostgreSQL. The only importer of `pgvector`.

Everything lies in a schema of its own: `generations` says what there is, each generation is a table of chunks and one
of counts. The counts are kept by the database, in the transaction that changes what is published, so they are exact.
"""

import zlib
from dataclasses import dataclass
from uuid import UUID

from pgvector.sqlalchemy import SPARSEVEC, VECTOR
from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TextClause,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "xgtwin_vectors"
LEXICAL_DIMENSIONS = 1_000_000_000
"""The most that `sparsevec` has; token ids are folded into it."""
INDEXED_DIMENSIONS = 2000
"""Longer dense vectors have no index in pgvector and are compared one by one."""

_DDL_LOCK = zlib.crc32(SCHEMA.encode())

generations = Table(
    "generations",
    MetaData(schema=SCHEMA),
    Column("collection", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("fingerprint", JSONB, nullable=False),
    Column("is_current", Boolean, nullable=False, server_default=text("false")),
)

_COUNTING = """
DECLARE
    gone text := 'SELECT keys, -1 AS change FROM removed WHERE published';
    come text := 'SELECT keys, 1 AS change FROM added WHERE published';
    changed text := CASE TG_OP WHEN 'INSERT' THEN come WHEN 'DELETE' THEN gone
        ELSE gone || ' UNION ALL ' || come END;
    counted int[];
    changes bigint[];
BEGIN
    EXECUTE format('SELECT array_agg(key), array_agg(change) FROM (SELECT key, sum(change) AS change
        FROM (%s) AS chunks, unnest(keys) AS key GROUP BY key HAVING sum(change) <> 0) AS sums', changed)
        INTO counted, changes;
    IF counted IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(0, TG_RELID::int);
    EXECUTE format('INSERT INTO %I.%I AS counts (key, n) SELECT * FROM unnest($1, $2)
        ON CONFLICT (key) DO UPDATE SET n = counts.n + excluded.n', TG_TABLE_SCHEMA, TG_TABLE_NAME || '-counts')
        USING counted, changes;
    IF TG_OP <> 'INSERT' THEN
        EXECUTE format('DELETE FROM %I.%I WHERE n = 0 AND key = ANY ($1)', TG_TABLE_SCHEMA, TG_TABLE_NAME || '-counts')
            USING counted;
    END IF;
    RETURN NULL;
END
"""
"""Counts the keys of what is published, each statement as a whole. Two that count the same words in another order would
block each other, so they write the counts in turn, with nothing but the end of their transactions left to do."""
_WHEN = {
    "INSERT": "REFERENCING NEW TABLE AS added",
    "DELETE": "REFERENCING OLD TABLE AS removed",
    "UPDATE": "REFERENCING OLD TABLE AS removed NEW TABLE AS added",
}


@dataclass(frozen=True, slots=True)
class GenerationTables:
    """`counts` says in how many published chunks each key stands."""

    chunks: Table
    counts: Table
    merging: TextClause
    """To be executed after published chunks were written: else searches look through what came last one by one. Does
    nothing while another session is at it, which goes on until there is nothing left."""

    def lock_of(self, document_id: UUID) -> int:
        """Writers of one document take it one after the other, or they would block each other over its rows."""
        return zlib.crc32(document_id.bytes, zlib.crc32(self.chunks.name.encode()))


def tables_of(collection: str, number: int, dimension: int | None) -> GenerationTables:
    """What a generation's tables look like; nothing is made."""
    name = f"{collection}-{number}"
    metadata = MetaData(schema=SCHEMA)
    chunks = Table(
        name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("organization_id", Uuid, nullable=False),
        Column("published", Boolean, nullable=False),
        Column("document_id", Uuid, nullable=False),
        Column("version", Integer, nullable=False),
        Column("index", Integer, nullable=False),
        Column("labels", ARRAY(Text), nullable=False),
        Column("day", Integer),
        Column("keys", ARRAY(Integer), nullable=False),
        Column("lex", SPARSEVEC(LEXICAL_DIMENSIONS), nullable=False),
        Column("chunk", JSONB, nullable=False),
        *([] if dimension is None else [Column("dense", VECTOR(dimension))]),
    )
    published = chunks.c.published
    places = [chunks.c[column] for column in ("organization_id", "document_id", "version", "index")]
    # `published` beside them and not among them: only the index of keys may serve a search by words, see there.
    Index(f"{name}-places", *places, postgresql_include=["published"])
    # Only of what is published: a chunk enters them once, not when it is stored and again when it is shown.
    # Keys wait in its list until `merging` enters those of a whole document at once, each key in one go.
    Index(f"{name}-keys", chunks.c["keys"], postgresql_using="gin", postgresql_where=published)
    Index(f"{name}-labels", chunks.c.labels, postgresql_using="gin", postgresql_where=published)
    if dimension is not None:
        Index(f"{name}-unembedded", chunks.c.id, postgresql_where=chunks.c.dense.is_(None))
    if dimension is not None and dimension <= INDEXED_DIMENSIONS:
        Index(
            f"{name}-dense",
            chunks.c.dense,
            postgresql_using="hnsw",
            postgresql_ops={"dense": "vector_cosine_ops"},
            postgresql_where=published,
        )
    counts = Table(
        f"{name}-counts",
        metadata,
        Column("key", Integer, primary_key=True, autoincrement=False),
        Column("n", Integer, nullable=False),
        # Room for the next version of a row beside it: counts change with every document.
        postgresql_with={"fillfactor": 70},
    )
    merging = text(
        "SELECT gin_clean_pending_list(index) FROM CAST(:index AS regclass) AS index"
        " WHERE pg_try_advisory_xact_lock(0, CAST(CAST(index AS oid) AS int))"
    )
    merging = merging.bindparams(index=f'{SCHEMA}."{name}-keys"')
    return GenerationTables(chunks, counts, merging)


def prepare(connection: Connection) -> None:
    """The schema with what all generations share. Safe to repeat; ends with the lock of all changes of tables held."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _DDL_LOCK})
    there = "SELECT to_regclass(:generations) IS NOT NULL"
    if not connection.scalar(text(there), {"generations": f"{SCHEMA}.generations"}):
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        generations.create(connection)
    counting = f"{SCHEMA}.count_keys()"
    stored = "SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure(:counting)"
    if connection.scalar(text(stored), {"counting": counting}) != _COUNTING:  # absent, or an earlier release's
        replacing = f"CREATE OR REPLACE FUNCTION {counting} RETURNS trigger LANGUAGE plpgsql AS $${_COUNTING}$$"
        connection.execute(text(replacing))


def make(connection: Connection, tables: GenerationTables) -> None:
    """The tables of a generation, empty."""
    tables.chunks.create(connection)
    tables.counts.create(connection)
    quoted = connection.dialect.identifier_preparer.format_table(tables.chunks)
    # Out of line and as they are: a search reads few of them, and hashes do not compress.
    for column in ("keys", "lex"):
        connection.execute(text(f"ALTER TABLE {quoted} ALTER {column} SET STORAGE EXTERNAL"))
    for event, rows in _WHEN.items():
        counting = f"FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.count_keys()"
        connection.execute(text(f"CREATE TRIGGER count_{event} AFTER {event} ON {quoted} {rows} {counting}"))
