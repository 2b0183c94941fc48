"""One service as a process of its own."""

import sys
from collections.abc import Callable

from shared.errors import XgtwinError
from shared.observability.logs import configure_logging
from shared.observability.traces import tracing
from shared.settings import Settings


def run_alone(name: str, serve: Callable[[Settings], None]) -> int:
    """Serve until SIGINT or SIGTERM; the exit status is 1, with the reason on stderr, if it cannot start."""
    settings = Settings()
    configure_logging(settings.log)
    try:
        with tracing(settings.traces, name):
            serve(settings)
    except XgtwinError as error:
        sys.stderr.write(f"{name}: {error.detail}\n")
        return 1
    return 0
