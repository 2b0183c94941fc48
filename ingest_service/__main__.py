"""The ingest service alone: `python -m ingest_service`."""

import sys

from ingest_service.bootstrap import build_app
from shared.db.engine import migrate, open_engine
from shared.embeddings.bootstrap import build_embedder
from shared.errors import XgtwinError
from shared.observability.logs import configure_logging, get_logger
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from shared.web.server import Listener, run, serve

log = get_logger(__name__)


def main() -> int:
    """Run until SIGINT or SIGTERM; 1 when a port is taken or a part cannot be opened, with the reason in the log."""
    settings = Settings()
    configure_logging(settings.log)
    try:
        _serve(settings)
    except XgtwinError as error:
        log.error("not_started", reason=error.detail)
        return 1
    return 0


def _serve(settings: Settings) -> None:
    engine = open_engine(settings)
    try:
        migrate(engine)
        embedder = build_embedder(settings)
        store = open_store(settings, embedder)
        try:
            app = build_app(settings, engine=engine, store=store, embedder=embedder)
            run(serve([Listener("ingest", app, settings.ingest.host, settings.ingest.port, "INGEST__PORT")]))
        finally:
            store.close()
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
