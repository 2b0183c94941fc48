"""What ingest and query work over: database, embedder, vector store; opened in this order, closed in the opposite."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from shared.db.engine import migrate, open_engine
from shared.embeddings.bootstrap import build_embedder
from shared.embeddings.protocol import Embedder
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.protocol import VectorStore


@dataclass(frozen=True)
class Parts:
    """Open and migrated. `embedder` is None for lexical retrieval alone."""

    engine: Engine
    embedder: Embedder | None
    store: VectorStore


@contextmanager
def open_parts(settings: Settings) -> Iterator[Parts]:
    """The parts for as long as the context lasts. Raises `Unavailable` or `Conflict`, which say what to do."""
    with ExitStack() as stack:
        engine = open_engine(settings)
        stack.callback(engine.dispose)
        migrate(engine)
        embedder = build_embedder(settings)
        store = open_store(settings, embedder)
        stack.callback(store.close)
        yield Parts(engine, embedder, store)
