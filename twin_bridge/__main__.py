"""The bridge alone: `python -m twin_bridge`."""

import sys

from shared.db.engine import open_engine
from shared.settings import Settings
from shared.standalone import run_alone
from shared.web.server import Listener, run, serve
from twin_bridge.bootstrap import build_app
from twin_bridge.protocol import MAX_MESSAGE_BYTES, SEND_BUFFER_BYTES


def main(settings: Settings) -> None:
    engine, twin = open_engine(settings), settings.twin
    try:
        app = build_app(settings, engine=engine)
        listener = Listener(
            "twin",
            app,
            twin.host,
            twin.port,
            "TWIN__PORT",
            ws_max_bytes=MAX_MESSAGE_BYTES,
            send_buffer_bytes=SEND_BUFFER_BYTES,
            trusted_proxies=twin.trusted_proxies,
        )
        run(serve([listener]))
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(run_alone("twin_bridge", main))
