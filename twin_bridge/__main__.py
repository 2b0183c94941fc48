"""`python -m twin_bridge`: the bridge alone."""

import sys

from shared.errors import XgtwinError
from shared.observability.logs import configure_logging
from shared.settings import Settings
from shared.web.server import Listener, run, serve
from twin_bridge.bootstrap import build_app
from twin_bridge.protocol import MAX_MESSAGE_BYTES, SEND_BUFFER_BYTES


def main() -> int:
    """Serve until SIGINT or SIGTERM; the exit status is 1 with the reason on stderr if it cannot start."""
    settings = Settings()
    configure_logging(settings.log)
    try:
        app = build_app(settings)
        twin = settings.twin
        run(serve([Listener("twin", app, twin.host, twin.port, "TWIN__PORT", MAX_MESSAGE_BYTES, SEND_BUFFER_BYTES)]))
    except XgtwinError as error:
        sys.stderr.write(f"twin_bridge: {error.detail}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
