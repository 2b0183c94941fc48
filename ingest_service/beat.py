"""The beat of the worker processes: `python -m ingest_service.beat`, one of them. A second one does no harm."""

import sys

from ingest_service.workshop import open_queue
from shared.settings import Settings
from shared.standalone import run_alone


def main(settings: Settings) -> None:
    """Have the ledger looked after every few seconds, until SIGTERM or SIGINT."""
    open_queue(settings).beat()


if __name__ == "__main__":
    sys.exit(run_alone("ingest_service.beat", main))
