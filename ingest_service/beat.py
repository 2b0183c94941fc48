"""The beat of the worker processes: `python -m ingest_service.beat`, one of them. A second one does no harm."""

import sys
from pathlib import Path

from ingest_service.workshop import open_queue
from shared.errors import Unavailable
from shared.settings import Settings
from shared.standalone import run_alone


def main(settings: Settings) -> None:
    """Have the ledger looked after every few seconds, until SIGTERM or SIGINT."""
    file = settings.jobs.beat_file

    def reached() -> None:
        if file is not None:
            _touch(file)

    reached()  # a file that cannot be written is told before anything runs
    open_queue(settings).beat(reached)


def _touch(file: Path) -> None:
    try:
        file.touch()
    except OSError as error:
        raise Unavailable(f"{file} (JOBS__BEAT_FILE) cannot be written: {error.strerror}.") from error


if __name__ == "__main__":
    sys.exit(run_alone("ingest_service.beat", main))
