"""Generations on a Qdrant server: collections `<name>-<number>`, the alias `<name>-current` names one of them.

Names prove nothing on a server that others use too: only a collection whose metadata say that it is ours is served,
continued or dropped.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from qdrant_client import QdrantClient, models

from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.generation import Generation, became_current, fingerprint_of, says_what_it_is
from shared.vector_store.qdrant import QdrantVectorStore, owner_and_fingerprint
from shared.vector_store.qdrant_connection import speaking
from shared.vector_store.stored_chunk import Stems

FIRST = 0
"""The number of a collection that bears the bare name: releases without generations made it, and noted no owner."""


class QdrantGenerations:
    """The `Generations` of one collection name. `connect` gives a client of its own to each generation."""

    shared: ClassVar[bool] = True

    def __init__(self, connect: Callable[[], QdrantClient], name: str, stems: Stems) -> None:
        self._connect = connect
        self._client = connect()
        self._name = name
        self._alias = f"{name}-current"
        self._stems = stems

    def current(self) -> int | None:
        named = self._named()
        number = None if named is None else self._number(named)
        return number if number is not None and self._is_ours(number) else None

    def numbers(self) -> Sequence[int]:
        return [number for number in self._alike() if self._is_ours(number)]

    def unused(self) -> int:
        return max([FIRST, *self._alike()]) + 1

    def require_room(self, beside: int | None = None) -> None:
        """The server's own matter: it refuses what it has no room for."""

    def open(self, number: int) -> Generation:
        return self.create(number, fingerprint_of(owner_and_fingerprint(self._client, self._collection(number))[1]))

    def create(self, number: int, fingerprint: Fingerprint) -> Generation:
        store = QdrantVectorStore(self._connect(), self._collection(number), fingerprint, self._stems, self._name)
        return Generation(number, fingerprint, store)

    def make_current(self, number: int) -> None:
        naming = models.CreateAlias(collection_name=self._collection(number), alias_name=self._alias)
        changes: list[models.DeleteAliasOperation | models.CreateAliasOperation] = [
            models.CreateAliasOperation(create_alias=naming)
        ]
        if self._named() is not None:
            dropping = models.DeleteAlias(alias_name=self._alias)
            changes.insert(0, models.DeleteAliasOperation(delete_alias=dropping))
        with speaking():
            self._client.update_collection_aliases(changes)

    def set_aside(self, number: int) -> None:
        """The server's own matter: its collection stays under its name and is no longer looked at."""

    def drop(self, number: int) -> None:
        if number == self.current():
            raise became_current()
        if self._is_ours(number):
            with speaking():
                self._client.delete_collection(self._collection(number))

    def close(self) -> None:
        self._client.close()

    def _named(self) -> str | None:
        """The collection that the alias names."""
        with speaking():
            aliases = self._client.get_aliases().aliases
        return next((alias.collection_name for alias in aliases if alias.alias_name == self._alias), None)

    def _alike(self) -> Sequence[int]:
        """The numbers of all collections that are named as ours would be."""
        with speaking():
            collections = self._client.get_collections().collections
        return sorted(number for each in collections if (number := self._number(each.name)) is not None)

    def _is_ours(self, number: int) -> bool:
        owner, fingerprint = owner_and_fingerprint(self._client, self._collection(number))
        return owner == self._name or (number == FIRST and owner is None and says_what_it_is(fingerprint))

    def _collection(self, number: int) -> str:
        return self._name if number == FIRST else f"{self._name}-{number}"

    def _number(self, collection: str) -> int | None:
        if collection == self._name:
            return FIRST
        head, _, tail = collection.rpartition("-")
        return int(tail) if head == self._name and tail.isdigit() else None
