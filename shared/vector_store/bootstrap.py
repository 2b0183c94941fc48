"""Chooses the vector store that the settings ask for and opens it."""

from contextlib import ExitStack
from pathlib import Path

from shared.embeddings.lexical import LexicalEncoder
from shared.embeddings.protocol import Embedder
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.part_settings import StoreSettings
from shared.settings import Settings
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.generation import Generations
from shared.vector_store.generational_store import GenerationalStore
from shared.vector_store.stored_chunk import Stems

log = get_logger(__name__)


def open_store(
    settings: Settings, embedder: Embedder | None, *, chunker: str = "", collection: str = ""
) -> GenerationalStore:
    """The store, open, with the generation that is current there, whatever that was made with.

    Only where there is none yet, an empty one is made for this embedder (None: no dense vectors) and chunker.
    `collection` is another one beside STORE__COLLECTION. Raises `Unavailable` if the store cannot be opened, `Conflict`
    if something else bears its name; both say what to do.
    """
    encoder = LexicalEncoder()
    first = wanted_fingerprint(encoder, embedder, chunker)
    name = collection or settings.store.collection
    model = embedder.name if embedder else settings.embedder.model if settings.embedder.kind != "none" else None
    try:
        with ExitStack() as stack:
            generations = _generations(settings, name, encoder.stems)
            stack.callback(generations.close)
            store = GenerationalStore(generations, first, model)
            stack.pop_all()
            return store
    except OSError as error:
        log.error("vector_store_not_opened", error=str(error))
        reason = error.strerror or "the log says why"
        raise Unavailable(f"The vectors in the data folder (XGTWIN_DATA_DIR) cannot be opened: {reason}.") from error


def open_words(settings: Settings, collection: str) -> GenerationalStore:
    """A collection of what is stored by its words alone and kept nowhere else; `open_store` says what is raised.

    It begins anew, empty, when other words are stored today: nobody could fill it from its own hashes.
    """
    store = open_store(settings, None, collection=collection)
    wanted = wanted_fingerprint(LexicalEncoder(), None, "")
    if store.made_with != wanted:
        log.warning("collection_begun_anew", collection=collection, made_with=store.made_with.lexical)
        store.begin(wanted)
        store.swap()
    return store


def wanted_fingerprint(encoder: LexicalEncoder, embedder: Embedder | None, chunker: str) -> Fingerprint:
    """What vectors are made with that these parts make."""
    return Fingerprint(
        lexical=encoder.fingerprint,
        model=embedder.name if embedder else None,
        dimension=embedder.dimension if embedder else None,
        chunker=chunker,
    )


def reindex_request(settings: Settings) -> Path:
    """The file whose presence asks the ingest service for a fresh generation: it also outlives a service that is not
    running."""
    return settings.data_dir / "reindex-requested"


def _generations(settings: Settings, name: str, stems: Stems) -> Generations:
    # Each adapter's library is heavy and only one is used: imported where it is chosen.
    store = settings.store
    if store.kind == "pgvector":
        from shared.vector_store.pgvector import connect as connect_postgres
        from shared.vector_store.pgvector_generations import PgvectorGenerations

        url = _postgres_url(settings)
        return PgvectorGenerations(lambda: connect_postgres(url), name, stems)
    if _on_a_server(store):
        from shared.vector_store.qdrant_connection import connect
        from shared.vector_store.qdrant_generations import QdrantGenerations

        key = store.qdrant_api_key.get_secret_value() or None
        return QdrantGenerations(lambda: connect(store.qdrant_url, key), name, stems)
    from shared.vector_store.edge_generations import EdgeGenerations

    return EdgeGenerations(settings.data_dir / "vectors" / name, stems)


def _on_a_server(store: StoreSettings) -> bool:
    if store.kind == "qdrant" and not store.qdrant_url:
        raise Unavailable("STORE__KIND is qdrant, but STORE__QDRANT_URL does not name a server.")
    return store.kind == "qdrant" or (store.kind == "auto" and bool(store.qdrant_url))


def _postgres_url(settings: Settings) -> str:
    url = settings.store.pgvector_url or settings.database_url
    if not url.startswith("postgres"):
        raise Unavailable(
            "STORE__KIND is pgvector, but neither STORE__PGVECTOR_URL nor DATABASE_URL names a PostgreSQL database, "
            "such as postgresql://user:password@host/xgtwin."
        )
    return url
