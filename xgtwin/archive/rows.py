"""Rows as lines of JSON that mean the same whatever database they come from, and a hash that stands for them all."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, Table, Uuid, func, insert, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from shared.db.rows import UtcDateTime
from shared.errors import Unprocessable
from shared.models import DEFAULT_ORGANIZATION_ID

ROWS_AT_ONCE = 500
ORGANIZATIONS = "organizations"

Row = Mapping[str, Any]


class Digest:
    """How many rows there are, and a hash of them all in which their order does not count: no two databases sort
    alike."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, line: bytes) -> None:
        self.rows += 1
        self._sum += int.from_bytes(hashlib.sha256(line).digest())

    @property
    def hash(self) -> str:
        """64 hex digits; rows have keys, so that no two of them are the same."""
        return f"{self._sum % (1 << 256):064x}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digest) and (self.rows, self.hash) == (other.rows, other.hash)

    __hash__ = None  # type: ignore[assignment]  # it grows


def to_line(row: Row) -> bytes:
    """One row as JSON without a line end: keys in order, UUIDs as text, times in UTC."""
    return json.dumps(row, default=_plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def from_line(line: bytes, table: Table) -> dict[str, Any]:
    """The row again, as the database wants it. Raises `Unprocessable` if it is not a row of this table."""
    try:
        values = json.loads(line)
        if not isinstance(values, dict) or values.keys() != set(table.columns.keys()):
            raise ValueError("other columns")
        return {name: _typed(table, name, value) for name, value in values.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unprocessable(f"The table {table.name} has a line that is no row of it: {error}.") from error


def read(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    """All rows of a table, in no order, a few in memory at a time."""
    found = connection.execute(select(table), execution_options={"yield_per": ROWS_AT_ONCE})
    return (dict(row) for row in found.mappings())


def digest_of(connection: Connection, table: Table) -> Digest:
    """What the table holds now."""
    digest = Digest()
    for row in read(connection, table):
        digest.add(to_line(row))
    return digest


def write(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Insert rows, and have the numbers that the database itself gives go on after them. Raises `Unprocessable` for a
    row that this kind of database cannot hold."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_AT_ONCE:
            _insert(connection, table, batch)
            batch = []
    if batch:
        _insert(connection, table, batch)
    _go_on_counting(connection, table)


def filled_tables(connection: Connection, tables: Iterable[Table]) -> list[str]:
    """Names of the tables that hold more than a new database does, which knows the default organization."""
    filled = []
    for table in tables:
        wanted = select(func.count()).select_from(table)
        if table.name == ORGANIZATIONS:
            wanted = wanted.where(table.c.id != DEFAULT_ORGANIZATION_ID)
        if connection.execute(wanted).scalar_one():
            filled.append(table.name)
    return filled


def clear_the_new(connection: Connection, tables: Iterable[Table]) -> None:
    """Take out what a new database knows: the copy brings its own."""
    for table in tables:
        if table.name == ORGANIZATIONS:
            connection.execute(table.delete())


def _insert(connection: Connection, table: Table, rows: list[Row]) -> None:
    try:
        connection.execute(insert(table), rows)
    except OperationalError:
        raise  # the database's trouble, not the row's
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise Unprocessable(f"A row of the table {table.name} cannot be stored there: {reason}") from error


def _go_on_counting(connection: Connection, table: Table) -> None:
    if connection.dialect.name != "postgresql":
        return  # SQLite takes the next number after the greatest
    for column in table.primary_key.columns:
        if isinstance(column.type, BigInteger):
            place = {"table": table.name, "column": column.name}
            sequence = text("SELECT pg_get_serial_sequence(:table, :column)")
            greatest = connection.execute(select(func.max(column))).scalar_one()
            if greatest is not None and (name := connection.execute(sequence, place).scalar_one()):
                connection.execute(text("SELECT setval(:name, :greatest)"), {"name": name, "greatest": greatest})


def _plain(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"{type(value).__name__} has no portable form")


def _typed(table: Table, name: str, value: Any) -> Any:
    kind = table.columns[name].type
    if value is None:
        return None
    if isinstance(kind, Uuid):
        return UUID(value)
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    return value
