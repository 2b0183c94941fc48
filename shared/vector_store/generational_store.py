"""The `VectorStore` that the services hold: reads from the current generation, writes to it and to the next one."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from shared.embeddings.protocol import Embedder
from shared.errors import Unavailable
from shared.models import Chunk, ScoredChunk
from shared.observability.logs import get_logger
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.generation import Filling, Generation, Generations, beside, fitting, open_current, take_up
from shared.vector_store.protocol import Document, EmbeddedChunk, SearchRequest

log = get_logger(__name__)

LOOK_AGAIN_S = 5.0
"""Where another process may swap generations, its choice is followed within this time."""

T = TypeVar("T")


class GenerationalStore:
    """The `VectorStore` port over the generations of one collection. Thread-safe.

    The current generation is served whatever it was made with: `fingerprint` says so, and dense vectors are only for
    one that was made with the same model. A generation that cannot be read is set aside, and an empty one begun.
    `model` names the embedding model that this process stores vectors of.
    """

    def __init__(self, generations: Generations, first: Fingerprint, model: str | None) -> None:
        self._generations = generations
        self._model = model
        self._changed = threading.Condition()
        self._following = threading.Lock()
        self._users: Counter[int] = Counter()
        self._touched: set[Document] = set()
        self._next: Generation | None = None
        self._current = open_current(generations, first)
        self._looked = time.monotonic()
        self.filling: Filling | None = None
        """Said by whoever fills the next generation."""

    @property
    def fingerprint(self) -> Fingerprint:
        """What the current generation was made with."""
        self._follow()
        return self._current.fingerprint

    @property
    def made_with(self) -> Fingerprint:
        """The same as it was seen last: nobody is asked."""
        return self._current.fingerprint

    @property
    def number(self) -> int:
        return self._current.number

    @property
    def next(self) -> Generation | None:
        """The generation that is being filled."""
        return self._next

    @property
    def shared(self) -> bool:
        """Whether other processes may open it too."""
        return self._generations.shared

    def speaks(self, embedder: Embedder) -> bool:
        """Whether searches may use its vectors."""
        return self.made_with.is_of(embedder)

    def wants(self, embedder: Embedder) -> bool:
        """Whether its vectors are worth storing: in the current generation, or in the next."""
        return self.speaks(embedder) or (self._next is not None and self._next.fingerprint.is_of(embedder))

    def upsert(self, chunks: Sequence[EmbeddedChunk]) -> None:
        if chunks:
            self._write(chunks[0].document, lambda g: g.store.upsert(fitting(chunks, g.fingerprint, self._model)))

    def publish(self, organization_id: UUID, document_id: UUID, version: int) -> None:
        self._write((organization_id, document_id), lambda g: g.store.publish(organization_id, document_id, version))

    def relabel(self, chunks: Sequence[EmbeddedChunk]) -> None:
        if chunks:
            self._write(chunks[0].document, lambda g: g.store.relabel(chunks))

    def delete(self, organization_id: UUID, document_id: UUID) -> None:
        self._write((organization_id, document_id), lambda g: g.store.delete(organization_id, document_id))

    def search(self, request: SearchRequest) -> list[ScoredChunk]:
        by_words = replace(request, dense=None)
        length = None if request.dense is None else len(request.dense)
        return self._read(lambda g: g.store.search(request if length == g.fingerprint.dimension else by_words))

    def term_counts(self, organization_id: UUID, terms: Sequence[str]) -> Mapping[str, int]:
        return self._read(lambda g: g.store.term_counts(organization_id, terms))

    def chunks(self, organization_id: UUID, document_id: UUID) -> list[Chunk]:
        return self._read(lambda g: g.store.chunks(organization_id, document_id))

    def dense_vectors(self, organization_id: UUID, document_id: UUID) -> Mapping[UUID, tuple[float, ...]]:
        return self._read(lambda g: g.store.dense_vectors(organization_id, document_id))

    def neighbours(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        return self._read(lambda g: g.store.neighbours(chunks))

    def count(self, organization_id: UUID, document_id: UUID | None = None, *, published: bool | None = True) -> int:
        return self._read(lambda g: g.store.count(organization_id, document_id, published=published))

    def unembedded(self, limit: int) -> list[Chunk]:
        return self._read(lambda g: g.store.unembedded(limit))

    def add_dense(self, vectors: Mapping[UUID, tuple[float, ...]]) -> None:
        self._read(lambda g: g.store.add_dense(vectors))

    def ping(self) -> None:
        self._read(lambda g: g.store.ping())

    def close(self) -> None:
        for generation in filter(None, (self._current, self._next)):
            generation.store.close()
        self._generations.close()

    def unfinished(self, wanted: Fingerprint) -> bool:
        """Take up the filling that an earlier process began for this fingerprint, and drop what else is left over from
        earlier swaps. Whether there is something to take up."""
        self._follow(now=True)  # what another process made current is not left over
        if self._next is None:
            self._next = take_up(self._generations, wanted, self._current.number)
        return self._next is not None

    def begin(self, wanted: Fingerprint) -> None:
        """Begin an empty generation beside the current one; writes go to both from now on. Raises `NoRoom`."""
        self.abandon()
        self._generations.require_room(self._current.number)
        self._next = self._generations.create(self._generations.unused(), wanted)

    def require_room(self) -> None:
        """Raises `NoRoom` if the next generation has none to grow."""
        self._generations.require_room()

    def abandon(self) -> None:
        """Drop the next generation, if there is one."""
        self._follow(now=True)
        if (unwanted := self._let_go()) is not None:
            self._retire(unwanted)

    def forget(self) -> None:
        """Close the next generation, if there is one: it is left to whichever process fills it from now on."""
        if (left := self._let_go()) is not None:
            self._close(left)

    def require_next(self, following: Generation) -> None:
        """Raises `Unavailable` if another process has made this generation current, or another one, meanwhile."""
        self._follow(now=True)
        if self._next is not following:
            raise Unavailable("Another process has swapped the vectors meanwhile.", retry_after=1)

    def swap(self) -> None:
        """Make the next generation the current one and drop the one before, once nobody uses it any more."""
        with self._following:
            if self._next is None:
                raise ValueError("there is no next generation")
            self._generations.make_current(self._next.number)
            with self._changed:
                old, self._current, self._next = self._current, self._next, None
        self._retire(old)

    @property
    def has_touched(self) -> bool:
        return bool(self._touched)

    def touched(self) -> set[Document]:
        """Documents that were written through this store since the last call, beside a next generation."""
        with self._changed:
            touched, self._touched = self._touched, set()
            return touched

    def _write(self, document: Document, change: Callable[[Generation], None]) -> None:
        self._follow(now=True)  # what goes to a generation that is no longer current is lost
        with self._using() as (current, following):
            try:
                change(current)
                if following is not None:
                    beside(following, change)
            finally:
                with self._changed:
                    if self._next is not None:
                        self._touched.add(document)

    def _read(self, ask: Callable[[Generation], T]) -> T:
        self._follow()
        with self._using() as (current, _):
            try:
                return ask(current)
            except Unavailable:
                if not self._generations.shared or self._generations.current() in {None, current.number}:
                    raise
        self._follow(now=True)  # it was swapped and dropped by another process just now
        with self._using() as (current, _):
            return ask(current)

    def _follow(self, *, now: bool = False) -> None:
        """Take up the generation that another process made current."""
        if not self._generations.shared or not (now or time.monotonic() > self._looked + LOOK_AGAIN_S):
            return
        self._looked = time.monotonic()
        with self._following:
            number = self._generations.current()
            if number is None or number == self._current.number:
                return
            self.forget()  # even if it is the same one: whoever fills it here must not write into what is served
            found = self._generations.open(number)
            with self._changed:
                old, self._current = self._current, found
        log.info("generation_followed", number=number, model=found.fingerprint.model)
        self._close(old)

    @contextmanager
    def _using(self) -> Iterator[tuple[Generation, Generation | None]]:
        with self._changed:
            current, following = self._current, self._next
            numbers = [generation.number for generation in (current, following) if generation is not None]
            self._users.update(numbers)
        try:
            yield current, following
        finally:
            with self._changed:
                self._users.subtract(numbers)
                self._changed.notify_all()

    def _let_go(self) -> Generation | None:
        with self._changed:
            following, self._next, self.filling = self._next, None, None
        return following

    def _retire(self, generation: Generation) -> None:
        self._close(generation)
        self._generations.drop(generation.number)

    def _close(self, generation: Generation) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._users[generation.number])
        generation.store.close()
