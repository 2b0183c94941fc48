"""Generations in PostgreSQL: rows of one table, which say which of them is current."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from sqlalchemy import Connection, Engine, delete, func, select, update

from shared.errors import Unavailable
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.generation import Generation, became_current, fingerprint_of
from shared.vector_store.pgvector import PgvectorStore, speaking
from shared.vector_store.pgvector_tables import generations, prepare, tables_of
from shared.vector_store.stored_chunk import Stems

_of = generations.c


class PgvectorGenerations:
    """The `Generations` of one collection name. `connect` gives an engine of its own to each generation."""

    shared: ClassVar[bool] = True

    def __init__(self, connect: Callable[[], Engine], name: str, stems: Stems) -> None:
        self._connect = connect
        self._engine = connect()
        self._ours = _of.collection == name
        self._name = name
        self._stems = stems
        with self._asking() as connection:
            prepare(connection)

    def current(self) -> int | None:
        with self._asking() as connection:
            return connection.scalar(select(_of.number).where(self._ours, _of.is_current))

    def numbers(self) -> Sequence[int]:
        with self._asking() as connection:
            return connection.scalars(select(_of.number).where(self._ours).order_by(_of.number)).all()

    def unused(self) -> int:
        with self._asking() as connection:
            return (connection.scalar(select(func.max(_of.number)).where(self._ours)) or 0) + 1

    def require_room(self, beside: int | None = None) -> None:
        """The server's own matter: it refuses what it has no room for."""

    def open(self, number: int) -> Generation:
        with self._asking() as connection:
            found = connection.scalar(select(_of.fingerprint).where(self._ours, _of.number == number))
        return self.create(number, fingerprint_of(found))

    def create(self, number: int, fingerprint: Fingerprint) -> Generation:
        store = PgvectorStore(self._connect(), self._name, number, fingerprint, self._stems)
        return Generation(number, fingerprint, store)

    def make_current(self, number: int) -> None:
        with self._asking() as connection:
            there = select(_of.number).where(self._ours, _of.number == number).with_for_update()
            if connection.scalar(there) is None:
                raise Unavailable("The generation to be made current is gone: another process dropped it.")
            connection.execute(update(generations).where(self._ours).values(is_current=_of.number == number))

    def set_aside(self, number: int) -> None:
        """The server's own matter: its tables stay under their names and are no longer looked at."""

    def drop(self, number: int) -> None:
        tables = tables_of(self._name, number, None)
        with self._asking() as connection:
            this = self._ours, _of.number == number
            # Asked and done in one: another process may make it current at this moment.
            connection.execute(delete(generations).where(*this, ~_of.is_current))
            if connection.scalar(select(_of.number).where(*this)) is not None:
                raise became_current()
            tables.chunks.drop(connection, checkfirst=True)
            tables.counts.drop(connection, checkfirst=True)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        with speaking(), self._engine.begin() as connection:
            yield connection
