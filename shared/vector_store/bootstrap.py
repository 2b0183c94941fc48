"""Chooses the vector store that the settings ask for and opens it."""

from shared.embeddings.lexical import LexicalEncoder
from shared.embeddings.protocol import Embedder
from shared.errors import Unavailable
from shared.settings import Settings
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
    if store.kind == "qdrant" or (store.kind == "auto" and store.qdrant_url):
        from shared.vector_store.qdrant import QdrantVectorStore, connect

        if not store.qdrant_url:
            raise Unavailable("STORE__KIND is qdrant, but STORE__QDRANT_URL does not name a server.")
        client = connect(store.qdrant_url, store.qdrant_api_key.get_secret_value() or None)
        return QdrantVectorStore(client, store.collection, fingerprint, encoder.stems)
    from shared.vector_store.edge import EdgeVectorStore

    return EdgeVectorStore(settings.data_dir / "vectors" / store.collection, fingerprint, encoder.stems)
