"""`xgtwin ingest`: send documents and follow their jobs.

Interrupted and repeated, it goes on where it was: the service knows bytes it has seen.
"""

import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
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
            document = _follow(client, sent, bar, task)
            outcome[document["status"]] += 1
            if document["error"]:
                complaints.append(f"{sent.name}: {document['error']}")
            bar.advance(task)

        for file in files:
            try:
                sent = _send(client, file, _name_in(path, file))
            except (XgtwinError, OSError) as error:
                outcome["refused"] += 1
                reason = error.detail if isinstance(error, XgtwinError) else error.strerror
                complaints.append(f"{file.name}: {reason}")
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
        console.print(complaint, style="yellow", markup=False)


def _documents(path: Path, ignore: list[str]) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        hidden = any(fnmatch(part, pattern) for part in file.relative_to(path).parts for pattern in ignore)
        if file.is_file() and not file.is_symlink() and not hidden:
            yield file


def _name_in(path: Path, file: Path) -> str:
    """The file's place below the folder that is sent: `a/leia-me.txt` and `b/leia-me.txt` are two documents."""
    return file.name if path == file else file.relative_to(path).as_posix()


def _send(client: ServiceClient, file: Path, name: str) -> Sent:
    with file.open("rb") as stream:
        answer = client.request("POST", "/documents", files={"files": (name, stream)})
    document = answer.json()["documents"][0]
    return Sent(file.name, document["id"], "" if document["duplicate"] else document["job_id"] or "")


def _follow(client: ServiceClient, sent: Sent, bar: Progress, task: object) -> dict[str, Any]:
    """Wait for the job's end, showing its stage; returns the document."""
    while True:
        job = client.request("GET", f"/jobs/{sent.job_id}").json()
        progress = job["progress"]
        if job["status"] in {"done", "failed", "cancelled"}:
            document: dict[str, Any] = client.request("GET", f"/documents/{sent.document_id}").json()
            return document
        share = f" {progress['done']}/{progress['total']}" if progress["total"] else ""
        bar.update(task, description=f"{escape(sent.name[:40])}: {progress['stage'] or 'waiting'}{share}")  # type: ignore[arg-type]
        time.sleep(POLL_SECONDS)
