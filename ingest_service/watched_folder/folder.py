"""The watched folder: a thread that turns hints and scans into arrivals and departures.

Files come in one by one when they are quiet and complete (doorstep.py). They go only by a scan, which sees all that is
missing at once and can tell a deletion from a move and from an accident (departures.py).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine

from ingest_service.documents.deletion import Remover
from ingest_service.documents.intake import Intake
from ingest_service.watched_folder.comparison import Comparison, arrivals, report
from ingest_service.watched_folder.departures import Departures, Identity, Verdict
from ingest_service.watched_folder.doorstep import Doorstep
from ingest_service.watched_folder.hints import Hints
from ingest_service.watched_folder.preview import foresee
from ingest_service.watched_folder.remembered import content_hashes, known_files, respell, vouched_elsewhere
from ingest_service.watched_folder.scan import read_folder
from ingest_service.watched_folder.scan_report import ScanReport
from ingest_service.watched_folder.watch_mode import WatchMode, chosen_mode
from ingest_service.watched_folder.watcher import FolderEvents
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE
from shared.settings import IngestSettings

log = get_logger(__name__)

TICK_S = 0.1
LOOK_AGAIN_S = 1.0
"""Until the next scan, if something is missing of which it is not clear yet what became of it."""
TROUBLED_S = 5.0
"""Until the next scan, if one failed."""
FORGET_BATCH = 500
"""Files forgotten in one transaction: databases limit the values of one statement."""


class WatchedFolder:
    """Keeps the documents of one folder in step with it, between `start` and `stop`, while it `leads`: of several
    processes one watches. Each of them scans when asked, and takes in what it then found."""

    def __init__(
        self,
        settings: IngestSettings,
        engine: Engine,
        intake: Intake,
        remover: Remover,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.intake = intake
        self.remover = remover
        self._leads = leads
        self.root = settings.watch_dir.absolute()
        self.mode = chosen_mode(settings.watch, self.root)
        self.scanned = self.mode.name == "off"
        self.held_back = 0
        self._note = ""
        self._hints = Hints()
        self._doorstep = Doorstep(self.root, settings.ignore, intake, self._hints)
        self._departures = Departures()
        self._events: FolderEvents | None = None
        self._listening_to: Identity | None = None
        self._next_scan = 0.0
        self._scanning = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-folder", daemon=True)

    def start(self) -> None:
        if self.mode.name != "off":
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._events:
            self._events.stop()

    @property
    def note(self) -> str:
        """What an operator must know of the folder; empty when all is well."""
        return " ".join(filter(None, (self._note, self._doorstep.note)))

    def scan(self, *, confirm: bool = False) -> ScanReport:
        """Read the whole folder; new and changed files follow when they are quiet. With `confirm` deletions that
        were held back are carried out, and nothing is waited for but files that may have moved."""
        with self._scanning:
            comparison, verdict, deleted = self._scan(confirm=confirm)
            return report(comparison, verdict, arrivals(comparison), deleted=deleted, note=self.note)

    def preview(self, *, confirm: bool = False) -> ScanReport:
        """What `scan` would find and, when all is quiet, have done. Changes nothing."""
        with self._scanning:
            identity, comparison = self._compare()
            documents = {file.document_id for file in comparison.known.values() if file.document_id}
            seen = foresee(self.root, comparison, content_hashes(self.engine, documents), self.intake.blobs)
            verdict = self._judge(comparison, identity, seen.moved, confirm=confirm)
        verdict = seen.settle(verdict)
        note = " ".join(filter(None, (verdict.reason, comparison.folder.note)))
        deleted = verdict.documents(verdict.gone)
        return report(comparison, verdict, seen.coming, deleted=deleted, note=note, dry_run=True)

    def _compare(self) -> tuple[Identity | None, Comparison]:
        """In this order: a folder that is swapped for another meanwhile is noticed at the next scan."""
        identity = identity_of(self.root)
        known = known_files(self.engine)
        return identity, Comparison(known, read_folder(self.root, self.settings.ignore))

    def _scan(self, *, confirm: bool) -> tuple[Comparison, Verdict, int]:
        identity, comparison = self._compare()
        if respelled := comparison.respelled():
            for key, before in respelled.items():
                respell(self.intake, comparison.known[before].source_id, key)
            comparison = replace(comparison, known=known_files(self.engine))
        self._doorstep.expect(comparison.folder)
        for found in comparison.changed().values():
            self._hints.seen(found.path, found.state)
        self._departures.note(comparison.missing(), identity, confirmed=confirm)
        verdict = self._judge(comparison, identity, comparison.same_size(self._hints.sizes()), confirm=confirm)
        self._departures.hold(verdict, identity)
        deleted = self._forget([comparison.known[key].source_id for key in verdict.gone])
        if verdict.waiting:
            self._next_scan = min(self._next_scan, time.monotonic() + LOOK_AGAIN_S)
        self._say(comparison, verdict)
        return comparison, verdict, deleted

    def _judge(self, comparison: Comparison, identity: Identity | None, moving: set[str], *, confirm: bool) -> Verdict:
        elsewhere = vouched_elsewhere(self.engine) if comparison.missing() else set()
        return self._departures.judge(
            comparison.known,
            comparison.folder,
            identity=identity,
            moving=moving,
            elsewhere=elsewhere,
            confirmed=confirm,
        )

    def _forget(self, sources: list[UUID]) -> int:
        gone = 0
        for start in range(0, len(sources), FORGET_BATCH):
            gone += len(self.remover.forget_sources(sources[start : start + FORGET_BATCH]))
        if gone:
            log.info("folder_documents_deleted", count=gone)
        return gone

    def _say(self, comparison: Comparison, verdict: Verdict) -> None:
        count, held = verdict.documents(verdict.held), ""
        if count:
            held = (
                f"{verdict.reason} {count} documents are kept: if it is meant, run `xgtwin scan --confirm` or "
                "POST /sources/watch/scan?confirm=true."
            )
        if count and count != self.held_back:
            INGEST_TROUBLE.labels("held_back").inc()
            log.warning("folder_deletions_held_back", count=count, reason=verdict.reason)
        self.held_back = count
        self._note = " ".join(filter(None, (held, comparison.folder.note)))

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            try:
                leads = self._leads()
                self._listen(identity_of(self.root) if leads else None)
                if leads and (time.monotonic() >= self._next_scan or self._hints.take_disturbance()):
                    self._next_scan = time.monotonic() + self._rescan_s
                    with self._scanning:
                        self._scan(confirm=False)
                self._doorstep.measure()
                due = self._hints.take_due()
                if due and self.held_back:  # what is held back may just be coming back
                    self._next_scan = min(self._next_scan, time.monotonic() + LOOK_AGAIN_S)
                for path, before in due:
                    if self._stop.is_set():  # the next start finds the others
                        return
                    with self._scanning:  # a scan by request must not forget what is just being taken
                        self._doorstep.take(path, before)
                self.scanned = self.scanned or not len(self._hints)
            except Exception:
                # The database may be away for a moment. The next scan finds whatever was missed.
                INGEST_TROUBLE.labels("folder").inc()
                log.exception("folder_round_failed")
                self._next_scan = time.monotonic() + TROUBLED_S

    @property
    def _rescan_s(self) -> float:
        if self.mode.name == "polling":
            return min(self.settings.poll_s, self.settings.rescan_s)
        return self.settings.rescan_s

    def _listen(self, here: Identity | None) -> None:
        """Listen to the folder that is there now: events come from a folder and not from its name, so another one
        mounted or moved into its place is listened to anew."""
        if here == self._listening_to:
            return
        if self._events:
            self._events.stop()
            self._events = None
        self._listening_to = here
        self.mode = chosen_mode(self.settings.watch, self.root)
        if here and self.mode.name == "inotify":
            events = FolderEvents(self.root, self._hints)
            if problem := events.start():
                self.mode = WatchMode("polling", problem)
            else:
                self._events = events
        self._hints.disturb()


def identity_of(root: Path) -> Identity | None:
    """Which folder is at this place, or None if there is none."""
    try:
        status = root.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino)
