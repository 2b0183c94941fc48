"""`xgtwin reindex`: have all vectors made anew, and watch it."""

import time
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from shared.errors import Unavailable
from shared.settings import Settings
from shared.vector_store.bootstrap import reindex_request
from xgtwin.service_client import NotRunning, ServiceClient

POLL_S = 0.5


def reindex(settings: Settings, *, key: str) -> None:
    """Ask the running ingest service and wait until the new vectors are in use; without one, note it for its start."""
    with ServiceClient("ingest", settings.ingest, key=key) as client:
        try:
            asked = _seen(client, "POST")
        except NotRunning:
            request = reindex_request(settings)
            try:
                request.parent.mkdir(parents=True, exist_ok=True)
                request.touch()
            except OSError as error:
                raise Unavailable(f"The data folder (XGTWIN_DATA_DIR) cannot be written: {error.strerror}.") from error
            print("xgtwin is not running: the next start (make up) makes all vectors anew, and answers meanwhile.")
            return
        if asked["waits_for"]:
            print(f"Noted. All vectors are made anew once the embedding model is there: {asked['waits_for']}")
            return
        _watch(client, asked["current"])


def _watch(client: ServiceClient, before: int) -> None:
    with Progress(TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn()) as progress:
        task = progress.add_task("waiting", total=None)
        while (seen := _seen(client, "GET"))["current"] == before:
            if filling := seen["filling"]:
                progress.update(
                    task, description=filling["stage"], completed=filling["done"], total=filling["total"] or None
                )
            time.sleep(POLL_S)
    print(f"The vectors are new (generation {seen['current']}, {seen['model'] or 'words alone'}).")


def _seen(client: ServiceClient, method: str) -> dict[str, Any]:
    page: dict[str, Any] = client.request(method, "/generations").json()
    return page
