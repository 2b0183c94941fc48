"""The ingest service alone: `python -m ingest_service`."""

import sys

from ingest_service.bootstrap import build_app
from ingest_service.passages import chunking
from shared.parts import open_parts
from shared.settings import Settings
from shared.standalone import run_alone
from shared.web.server import Listener, run, serve


def main(settings: Settings) -> None:
    with open_parts(settings, chunker=chunking.FINGERPRINT) as parts:
        app = build_app(settings, engine=parts.engine, store=parts.store, model=parts.model)
        listener = Listener(
            "ingest",
            app,
            settings.ingest.host,
            settings.ingest.port,
            "INGEST__PORT",
            trusted_proxies=settings.ingest.trusted_proxies,
        )
        run(serve([listener]))


if __name__ == "__main__":
    sys.exit(run_alone("ingest_service", main))
