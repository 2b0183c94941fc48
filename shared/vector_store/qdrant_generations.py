"""Generations on a Qdrant server: collections `<name>-<number>`, the alias `<name>-current` names one of them."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from qdrant_client import QdrantClient, models

from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.generation import Generation, fingerprint_of
from shared.vector_store.qdrant import QdrantVectorStore, speaking
from shared.vector_store.stored_chunk import Stems

FIRST = 0
"""The number of a collection that bears the bare name: releases without generations made it."""


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
        with speaking():
            aliases = self._client.get_aliases().aliases
        named = next((alias.collection_name for alias in aliases if alias.alias_name == self._alias), None)
        return None if named is None else self._number(named)

    def numbers(self) -> Sequence[int]:
        with speaking():
            collections = self._client.get_collections().collections
        return sorted(number for each in collections if (number := self._number(each.name)) is not None)

    def open(self, number: int) -> Generation:
        with speaking():
            there = self._client.collection_exists(self._collection(number))
            metadata = self._client.get_collection(self._collection(number)).config.metadata if there else None
        return self.create(number, fingerprint_of(metadata))

    def create(self, number: int, fingerprint: Fingerprint) -> Generation:
        store = QdrantVectorStore(self._connect(), self._collection(number), fingerprint, self._stems)
        return Generation(number, fingerprint, store)

    def make_current(self, number: int) -> None:
        naming = models.CreateAlias(collection_name=self._collection(number), alias_name=self._alias)
        changes: list[models.DeleteAliasOperation | models.CreateAliasOperation] = [
            models.CreateAliasOperation(create_alias=naming)
        ]
        if self.current() is not None:
            dropping = models.DeleteAlias(alias_name=self._alias)
            changes.insert(0, models.DeleteAliasOperation(delete_alias=dropping))
        with speaking():
            self._client.update_collection_aliases(changes)

    def set_aside(self, number: int) -> None:
        """The server's own matter: its collection stays under its name and is no longer looked at."""

    def drop(self, number: int) -> None:
        with speaking():
            self._client.delete_collection(self._collection(number))

    def close(self) -> None:
        self._client.close()

    def _collection(self, number: int) -> str:
        return self._name if number == FIRST else f"{self._name}-{number}"

    def _number(self, collection: str) -> int | None:
        if collection == self._name:
            return FIRST
        head, _, tail = collection.rpartition("-")
        return int(tail) if head == self._name and tail.isdigit() else None
