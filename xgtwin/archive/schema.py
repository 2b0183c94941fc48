"""The tables of a revision, described without a database in sight: what the migrations make of an empty one.

Not taken from the models: those know the newest schema only, and a backup may be of an older one.
"""

from typing import Any

import sqlalchemy
from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Uuid
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import CHAR, DateTime, TypeEngine

from shared.db.revisions import bring_to
from shared.db.rows import UtcDateTime

REVISIONS = "alembic_version"


def tables_at(revision: str) -> list[Table]:
    """All tables, a table after those that it refers to. Their types are the same for SQLite and PostgreSQL."""
    engine = sqlalchemy.create_engine("sqlite://", poolclass=StaticPool)
    bring_to(engine, revision)
    metadata = MetaData()
    metadata.reflect(engine)
    engine.dispose()
    tables = [table for table in metadata.sorted_tables if table.name != REVISIONS]
    for table in tables:
        for column in table.columns:
            column.type = _portable(column)
    return tables


def _portable(column: Column[Any]) -> TypeEngine[Any]:
    kind: TypeEngine[Any] = column.type
    if isinstance(kind, CHAR):  # how SQLite keeps UUIDs; everything else of letters is VARCHAR
        return Uuid()
    if isinstance(kind, DateTime):
        return UtcDateTime()
    if isinstance(kind, JSON):  # what is not there reads as None, however it was written
        return JSON(none_as_null=bool(column.nullable))
    if isinstance(kind, Integer):  # SQLite's are all of 64 bits
        return BigInteger()
    return kind
