"""Chooses the vector store that the settings ask for and opens it."""

from pathlib import Path

from shared.embeddings.lexical import LexicalEncoder
from shared.embeddings.protocol import Embedder
from shared.errors import Unavailable
from shared.settings import Settings, StoreSettings
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.protocol import VectorStore


def open_store(settings: Settings, embedder: Embedder | None) -> VectorStore:
    """The store, open and made for the lexical encoder and this embedder (None: no dense vectors).

    Raises `Conflict` if the stored vectors were made with something else, `Unavailable` if the store cannot be opened;
    both say what to do.
    """
    store = settings.store
    encoder = LexicalEncoder()
    fingerprint = Fingerprint(
        lexical=encoder.fingerprint,
        model=embedder.name if embedder else None,
        dimension=embedder.dimension if embedder else None,
    )
    # Each adapter's library is heavy and only one is used: imported where it is chosen.
    if _on_a_server(store):
        from shared.vector_store.qdrant import QdrantVectorStore, connect

        client = connect(store.qdrant_url, store.qdrant_api_key.get_secret_value() or None)
        return QdrantVectorStore(client, store.collection, fingerprint, encoder.stems)
    from shared.vector_store.edge import EdgeVectorStore

    return EdgeVectorStore(_shard_folder(settings), fingerprint, encoder.stems)


def discard_store(settings: Settings) -> None:
    """Remove all vectors, whatever they were made with; the ingest service makes them anew when it starts next.

    Raises `Unavailable` while a process has them open, or if the server does not answer.
    """
    if _on_a_server(settings.store):
        from shared.vector_store.qdrant import connect
        from shared.vector_store.qdrant import discard as discard_collection

        client = connect(settings.store.qdrant_url, settings.store.qdrant_api_key.get_secret_value() or None)
        discard_collection(client, settings.store.collection)
        return
    from shared.vector_store.edge import discard as discard_shard

    discard_shard(_shard_folder(settings))


def _on_a_server(store: StoreSettings) -> bool:
    if store.kind == "qdrant" and not store.qdrant_url:
        raise Unavailable("STORE__KIND is qdrant, but STORE__QDRANT_URL does not name a server.")
    return store.kind == "qdrant" or (store.kind == "auto" and bool(store.qdrant_url))


def _shard_folder(settings: Settings) -> Path:
    return settings.data_dir / "vectors" / settings.store.collection
