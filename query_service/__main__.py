"""The query service alone: `python -m query_service`."""

import sys

from query_service.bootstrap import build_app
from shared.parts import open_parts
from shared.settings import Settings
from shared.standalone import run_alone
from shared.web.server import Listener, run, serve


def main(settings: Settings) -> None:
    with open_parts(settings) as parts:
        app = build_app(settings, engine=parts.engine, store=parts.store, model=parts.model)
        listener = Listener(
            "query",
            app,
            settings.query.host,
            settings.query.port,
            "QUERY__PORT",
            trusted_proxies=settings.query.trusted_proxies,
        )
        run(serve([listener]))


if __name__ == "__main__":
    sys.exit(run_alone("query_service", main))
