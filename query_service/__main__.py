"""The query service alone: `python -m query_service`."""

import asyncio
import sys

from shared.embeddings.bootstrap import build_embedder
from shared.vector_store.bootstrap import open_store

from query_service.bootstrap import build_app
from shared.db.engine import migrate, open_engine
from shared.errors import XgtwinError
from shared.observability.logs import configure_logging
from shared.settings import Settings
from shared.web.server import Listener, serve


def main() -> int:
    """Serve until SIGINT or SIGTERM; 1 when it cannot start, with the reason on stderr."""
    settings = Settings()
    configure_logging(settings.log)
    try:
        engine = open_engine(settings)
        migrate(engine)
        embedder = build_embedder(settings)
        store = open_store(settings, embedder)
        try:
            app = build_app(settings, engine=engine, store=store, embedder=embedder)
            listener = Listener("query", app, settings.query.host, settings.query.port, "QUERY__PORT")
            asyncio.run(serve([listener]))
        finally:
            store.close()
            engine.dispose()
    except XgtwinError as error:
        sys.stderr.write(f"{error.detail}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
