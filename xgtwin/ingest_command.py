"""`xgtwin ingest`: what is sent, what is shown, and how the program ends."""

from pathlib import Path

from shared.errors import BadRequest
from shared.models import DocumentStatus
from shared.settings import Settings
from xgtwin.ingest_display import display
from xgtwin.ingest_files import LocalFile, local_files
from xgtwin.ingest_run import REFUSED, Run
from xgtwin.service_client import ServiceClient

ADDRESSES = ("http://", "https://")
UNSUCCESSFUL = frozenset({REFUSED, DocumentStatus.QUARANTINED, DocumentStatus.FAILED})
"""Outcomes after which a script should stop and somebody should look."""

INTERRUPTED = 130
"""The exit status of a program that was ended by Ctrl+C."""


def ingest(settings: Settings, source: str, *, key: str = "") -> int:
    """Send a file, every file below a folder, or the address of a page; show how far it is and what became of each.

    The exit status: 0, or 1 if a document was refused or cannot be read, or 130 after Ctrl+C.
    """
    address = source if source.startswith(ADDRESSES) else ""
    files = [] if address else _files(Path(source), settings)
    shows = display(len(files) or 1)
    with ServiceClient("ingest", settings.ingest, key=key) as client:
        run = Run(client, shows)
        interrupted = False
        try:
            with shows:
                run.send_address(address) if address else run.send_files(files)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            if run.outcomes:
                shows.summary(run.outcomes, run.complaints)
    if interrupted:
        print(
            f"Stopped: {run.outcomes.total()} of {len(files) or 1} settled; the service goes on with "
            f"{len(run.waiting)} more. The same command again goes on from there.",
            flush=True,
        )
        return INTERRUPTED
    return 1 if UNSUCCESSFUL & set(run.outcomes) else 0


def _files(path: Path, settings: Settings) -> list[LocalFile]:
    if not path.exists():
        raise BadRequest(f"There is no file or folder {path}.")
    if files := local_files(path, settings.ingest.ignore):
        return files
    raise BadRequest(f"There is no document in {path}.")
