"""`xgtwin ingest`: send documents and follow their jobs.

Interrupted and repeated, it goes on where it was: the service knows bytes it has seen.
"""

import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shared.errors import BadRequest, XgtwinError
from shared.settings import Settings
from xgtwin.service_client import ServiceClient

IN_FLIGHT = 8
"""Documents sent ahead of the one being read: the service stays busy, an interruption loses little."""
POLL_SECONDS = 0.3


@dataclass
class Sent:
    """A document on its way: its file name here, its job there (empty when there is nothing to do)."""

    name: str
    document_id: str
    job_id: str


def ingest_path(settings: Settings, path: Path, *, key: str = "") -> None:
    """Send a file or every file below a folder; print a bar with the stages and, at the end, what became of each."""
    files = list(_documents(path, settings.ingest.ignore))
    if not files:
        raise BadRequest(f"There is no document in {path}.")
    outcome: Counter[str] = Counter()
    complaints: list[str] = []
    waiting: deque[Sent] = deque()
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console()
    )
    with ServiceClient("ingest", settings.ingest, key=key) as client, bar:
        task = bar.add_task("sending", total=len(files))

        def settle(sent: Sent) -> None:
            status = _follow(client, sent, bar, task)
            outcome[status] += 1
            bar.advance(task)

        for file in files:
            try:
                sent = _send(client, file)
            except XgtwinError as error:
                outcome["refused"] += 1
                complaints.append(f"{file.name}: {error.detail}")
                bar.advance(task)
                continue
            if not sent.job_id:
                outcome["known already"] += 1
                bar.advance(task)
                continue
            waiting.append(sent)
            if len(waiting) >= IN_FLIGHT:
                settle(waiting.popleft())
        while waiting:
            settle(waiting.popleft())
    console = Console(highlight=False)
    console.print(", ".join(f"{count} {status}" for status, count in sorted(outcome.items())))
    for complaint in complaints:
        console.print(f"[yellow]{complaint}[/yellow]")


def _documents(path: Path, ignore: list[str]) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        hidden = any(fnmatch(part, pattern) for part in file.relative_to(path).parts for pattern in ignore)
        if file.is_file() and not file.is_symlink() and not hidden:
            yield file


def _send(client: ServiceClient, file: Path) -> Sent:
    with file.open("rb") as stream:
        answer = client.request("POST", "/documents", files={"files": (file.name, stream)})
    document = answer.json()["documents"][0]
    return Sent(file.name, document["id"], "" if document["duplicate"] else document["job_id"] or "")


def _follow(client: ServiceClient, sent: Sent, bar: Progress, task: object) -> str:
    """Wait for the job's end, showing its stage; returns the document's status."""
    while True:
        job = client.request("GET", f"/jobs/{sent.job_id}").json()
        progress = job["progress"]
        if job["status"] in {"done", "failed", "cancelled"}:
            return str(client.request("GET", f"/documents/{sent.document_id}").json()["status"])
        share = f" {progress['done']}/{progress['total']}" if progress["total"] else ""
        bar.update(task, description=f"{sent.name[:40]}: {progress['stage'] or 'waiting'}{share}")  # type: ignore[arg-type]
        time.sleep(POLL_SECONDS)
