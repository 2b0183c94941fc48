"""One run of `xgtwin ingest`: compare with what the service has, send what is new, follow it to its end.

Interrupted and repeated, it goes on where it was: what arrived is not sent again, and what is still being read is
followed to its end.
"""

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_service.tables import SourceKind, place_of
from shared.errors import Forbidden, NotFound, Unauthorized, Unavailable, XgtwinError
from shared.models import PENDING_STATUSES
from xgtwin.ingest_display import Display, shortened
from xgtwin.ingest_files import LocalFile
from xgtwin.service_client import ServiceClient

KNOWN, DUPLICATE, REFUSED, DELETED = "known already", "duplicate", "refused", "deleted"
IN_FLIGHT = 8
"""Documents sent ahead of the one being read: the service stays busy, an interruption loses little."""
COMPARED_AT_ONCE = 10_000
POLL_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Sent:
    """A document on its way: its name here, its id and its job there."""

    name: str
    document_id: str
    job_id: str


class Run:
    """One call of the command: what is on its way and what became of the rest."""

    def __init__(self, client: ServiceClient, shows: Display) -> None:
        self.outcomes: Counter[str] = Counter()
        self.complaints: list[str] = []
        self.waiting: deque[Sent] = deque()
        self._places: dict[str, str] = {}
        """Names as the service tells them apart, each with the file here that has it."""
        self._client = client
        self._shows = shows

    def send_files(self, files: Sequence[LocalFile]) -> None:
        for file in self._new(files):
            self._wait_until_fewer_than(IN_FLIGHT)
            self._shows.doing(f"sending {shortened(file.name)}")
            try:
                with file.path.open("rb") as stream:
                    self._post(file.name, files={"files": (file.name, stream)})
            except OSError as error:
                self._settle(file.name, REFUSED, f"it cannot be read here ({error.strerror})")
        self._wait_until_fewer_than(1)

    def send_address(self, address: str) -> None:
        self._shows.doing(f"fetching {shortened(address)}")
        self._post(address, json={"url": address})
        self._wait_until_fewer_than(1)

    def _new(self, files: Sequence[LocalFile]) -> Iterator[LocalFile]:
        """The files that the service does not have; all others are settled, or followed if they are under way."""
        for start in range(0, len(files), COMPARED_AT_ONCE):
            here = self._listed(files[start : start + COMPARED_AT_ONCE])
            manifest = {"items": [item for _, item in here.values()]}
            there = self._client.request("POST", "/documents/diff", json=manifest).json()
            under_way = self._under_way() if there["unchanged"] else {}
            reasons = {entry["path"]: entry["reason"] for entry in there["failed"]}
            for entry in there["unchanged"]:
                name, document_id = entry["path"], entry["document_id"]
                if job_id := under_way.get(document_id):
                    self.waiting.append(Sent(name, document_id, job_id))
                elif name not in reasons:
                    self._settle(name, KNOWN, worked_on=False)
                elif document_id:
                    self._settle(name, self._document(document_id)["status"], reasons[name], worked_on=False)
                else:
                    self._settle(name, REFUSED, reasons[name], worked_on=False)
            for entry in [*there["added"], *there["modified"]]:
                yield here[entry["path"]][0]

    def _listed(self, files: Sequence[LocalFile]) -> dict[str, tuple[LocalFile, dict[str, str | int]]]:
        """Files with their fingerprints, by name. Of two names that are one to the service, the first counts."""
        listed: dict[str, tuple[LocalFile, dict[str, str | int]]] = {}
        for file in files:
            self._shows.doing(f"comparing {shortened(file.name)}")
            other = self._places.setdefault(place_of(SourceKind.UPLOAD, file.name), str(file.path))
            if other != str(file.path):
                other = Path(other).name
                self._settle(
                    file.name, REFUSED, f"its name is the same as that of {other}: rename one", worked_on=False
                )
                continue
            try:
                listed[file.name] = (file, file.fingerprint())
            except OSError as error:
                self._settle(file.name, REFUSED, f"it cannot be read here ({error.strerror})", worked_on=False)
        return listed

    def _under_way(self) -> dict[str, str]:
        """Jobs that wait or run, by document."""
        jobs: dict[str, str] = {}
        query = {"state": "queued,running", "limit": 200}
        while True:
            page = self._client.request("GET", "/jobs", params=query).json()
            jobs.update({job["document_id"]: job["id"] for job in page["items"]})
            if not page["next_cursor"]:
                return jobs
            query["cursor"] = page["next_cursor"]

    def _post(self, name: str, **body: Any) -> None:
        """Send one document, however long the service is busy, and note what it says."""
        while True:
            try:
                document = self._client.request("POST", "/documents", **body).json()["documents"][0]
                break
            except (Unauthorized, Forbidden):
                raise
            except Unavailable as busy:
                if busy.code not in {"queue_full", "document_busy"}:
                    raise
                self._wait_for_room(busy)
            except XgtwinError as refusal:
                self._settle(name, REFUSED, refusal.detail)
                return
        if document["job_id"]:
            self.waiting.append(Sent(name, document["id"], document["job_id"]))
            return
        there = self._document(document["id"])
        self._settle(name, there["status"] if there["error"] else DUPLICATE, there["error"] or "", worked_on=False)

    def _wait_until_fewer_than(self, count: int) -> None:
        while len(self.waiting) >= count:
            if not self._settle_what_ended():
                time.sleep(POLL_SECONDS)

    def _wait_for_room(self, busy: Unavailable) -> None:
        """As long as the service asked for, and meanwhile see what ended."""
        until = time.monotonic() + (busy.retry_after or 1)
        while time.monotonic() < until:
            if not self._settle_what_ended():
                self._shows.doing("the service has a full queue, or publishes what this file changes: waiting")
                time.sleep(POLL_SECONDS)

    def _settle_what_ended(self) -> bool:
        """Look at everything that is on its way, show the first that is being worked on; whether something ended."""
        stage = ""
        still: deque[Sent] = deque()
        for sent in self.waiting:
            try:
                job = self._client.request("GET", f"/jobs/{sent.job_id}").json()
                if job["status"] in {"queued", "running"}:
                    still.append(sent)
                    stage = stage or _stage(sent, job)
                    continue
                document = self._document(sent.document_id)
                status = document["status"]
                self._settle(sent.name, job["status"] if status in PENDING_STATUSES else status, document["error"])
            except NotFound:
                self._settle(sent.name, DELETED, "it was deleted while it was being read")
        ended = len(still) < len(self.waiting)
        self.waiting = still
        self._shows.doing(stage or "waiting for a worker")
        return ended

    def _settle(self, name: str, outcome: str, reason: str | None = None, *, worked_on: bool = True) -> None:
        self.outcomes[outcome] += 1
        if reason:
            self.complaints.append(f"{name}: {reason}")
        self._shows.settled(name, outcome, reason or "", worked_on=worked_on)

    def _document(self, document_id: str) -> dict[str, Any]:
        document: dict[str, Any] = self._client.request("GET", f"/documents/{document_id}").json()
        return document


def _stage(sent: Sent, job: dict[str, Any]) -> str:
    """What the service does with a document, such as `parsing guia.pdf 50/236`; empty while it waits."""
    progress = job["progress"]
    if job["status"] != "running":
        return ""
    share = f" {progress['done']}/{progress['total']}" if progress["total"] else ""
    return f"{progress['stage'] or 'reading'} {shortened(sent.name)}{share}"
