"""What ingest and query work over: database, embedding model, vector store; opened in this order, closed in the
opposite."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from shared.db.engine import migrate, open_engine
from shared.embeddings.bootstrap import build_model
from shared.embeddings.model import EmbeddingModel
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.generational_store import GenerationalStore


@dataclass(frozen=True)
class Parts:
    """Open and migrated. The model may still be on its way."""

    engine: Engine
    model: EmbeddingModel
    store: GenerationalStore


@contextmanager
def open_parts(settings: Settings, *, chunker: str = "") -> Iterator[Parts]:
    """The parts for as long as the context lasts. `chunker` is the fingerprint of whoever stores chunks.

    Raises `Unavailable` or `Conflict`, which say what to do.
    """
    with ExitStack() as stack:
        engine = open_engine(settings)
        stack.callback(engine.dispose)
        migrate(engine)
        model = build_model(settings)
        stack.callback(model.close)
        store = open_store(settings, model.current(), chunker=chunker)
        stack.callback(store.close)
        yield Parts(engine, model, store)
