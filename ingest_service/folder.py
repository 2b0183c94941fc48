"""The watched folder: a thread that turns hints and scans into arrivals and departures.

Files come in one by one when they are quiet and complete. They go only by a scan, which sees all that is missing at
once and can tell a deletion from an accident.
"""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from ingest_service.arrivals import Arrival
from ingest_service.deletion import Remover
from ingest_service.hints import UNSETTLED_S, Hints
from ingest_service.intake import Intake
from ingest_service.lifecycle import source_at
from ingest_service.names import clean_name
from ingest_service.parsing.errors import EmptyDocument
from ingest_service.scan import (
    FoundFile,
    ignored,
    key_of,
    known_files,
    look_at,
    looks_like_an_accident,
    read_folder,
)
from ingest_service.tables import SourceKind, SourceRow
from ingest_service.watcher import FolderEvents, chosen_mode
from shared.errors import TooLarge, Unavailable, UnsupportedMedia
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE
from shared.settings import IngestSettings

log = get_logger(__name__)

TICK_S = 0.1
MOVE_S = 5.0
"""What is missing waits so long for files that are just coming in: it may be among them under a new name."""
BUSY_S = 5.0
"""A file that cannot be taken now (the queue is full) is looked at again after so long."""
UNREADABLE_S = 60.0
"""A file that cannot be opened, or that brought its taking down, is tried again after so long."""


@dataclass(frozen=True)
class ScanReport:
    """What a scan found. `held_back` documents would have been deleted; `?confirm=true` does it."""

    files: int
    new_or_changed: int
    deleted: int
    held_back: int
    note: str = ""


class WatchedFolder:
    """Keeps the documents of one folder in step with it, between `start` and `stop`."""

    def __init__(self, settings: IngestSettings, engine: Engine, intake: Intake, remover: Remover) -> None:
        self.settings = settings
        self.engine = engine
        self.intake = intake
        self.remover = remover
        self.root = settings.watch_dir.absolute()
        self.mode = chosen_mode(settings.watch, self.root)
        self.scanned = self.mode == "off"
        self.held_back = 0
        self.note = ""
        self._hints = Hints()
        self._events: FolderEvents | None = None
        self._scanning = threading.Lock()
        self._missing_since: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-folder", daemon=True)

    def start(self) -> None:
        if self.mode != "off":
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._events:
            self._events.stop()

    def scan(self, *, confirm: bool = False) -> ScanReport:
        """Read the whole folder; new and changed files follow when they are quiet. With `confirm` deletions that
        were held back are carried out."""
        with self._scanning:
            if not self.root.is_dir():
                return self._hold_back(0, 0, len(known_files(self.engine)), "The watched folder is missing.")
            known, folder = known_files(self.engine), read_folder(self.root, self.settings.ignore)
            changed = [
                found for key, found in folder.files.items() if key not in known or known[key].state != found.state
            ]
            for found in changed:
                self._hints.seen(str(found.path), found.state)
            missing = [file for key, file in known.items() if folder.misses(key)]
            lost = sum(file.has_document for file in missing)
            if missing and not confirm:
                if self._may_have_moved():
                    return ScanReport(len(folder.files), len(changed), 0, 0, "Files are just coming in.")
                if looks_like_an_accident(lost, sum(file.has_document for file in known.values())):
                    note = f"{lost} documents vanished from the watched folder at once."
                    return self._hold_back(len(folder.files), len(changed), lost, note)
            self._missing_since, self.held_back, self.note = None, 0, folder.note
            gone = self.remover.forget_sources([file.source_id for file in missing]) if missing else []
            if gone:
                log.info("folder_documents_deleted", count=len(gone))
            return ScanReport(len(folder.files), len(changed), len(gone), 0)

    def _run(self) -> None:
        next_scan = 0.0
        while not self._stop.wait(TICK_S):
            try:
                self._listen()
                if time.monotonic() >= next_scan or self._hints.take_disturbance():
                    self.scan()
                    polling = self._events is None or not self._events.alive
                    next_scan = time.monotonic() + (
                        min(self.settings.poll_s, self.settings.rescan_s) if polling else self.settings.rescan_s
                    )
                self._take_quiet_files()
                self.scanned = self.scanned or not len(self._hints)
            except Exception:
                # The database may be away for a moment. The next scan finds whatever was missed.
                INGEST_TROUBLE.labels("folder").inc()
                log.exception("folder_round_failed")
                next_scan = time.monotonic() + BUSY_S

    def _listen(self) -> None:
        """Begin to listen to events as soon as there is a folder to listen to."""
        if self.mode == "inotify" and self._events is None and self.root.is_dir():
            events = FolderEvents(self.root, self._hints)
            if events.start():
                self._events = events
            else:
                self.mode = "polling"

    def _take_quiet_files(self) -> None:
        for path in self._hints.unmeasured():
            if found := look_at(Path(path), self.root):
                self._hints.measured(path, found.state)
        for path, before in self._hints.take_due():
            key = key_of(Path(path), self.root)
            if ignored(key, self.settings.ignore):
                continue
            found = look_at(Path(path), self.root)
            if found is None:
                self._hints.disturb()
            elif found.state != before:
                self._hints.postpone(path, UNSETTLED_S, found.state)
            else:
                self._take_alone(key, found)

    def _take_alone(self, key: str, found: FoundFile) -> None:
        """Take a file so that nothing that is wrong with it keeps the others out."""
        try:
            self._take(key, found)
        except Exception as error:
            reason = (error.strerror or "input or output failed") if isinstance(error, OSError) else "see the log"
            INGEST_TROUBLE.labels("folder_file").inc()
            log.warning("folder_file_postponed", file=key, reason=reason, exc_info=not isinstance(error, OSError))
            self._hints.postpone(str(found.path), UNREADABLE_S, found.state)

    def _take(self, key: str, found: FoundFile) -> None:
        size, mtime_ns = found.state
        name = clean_name(key)
        arrival = Arrival(DEFAULT_ORGANIZATION_ID, SourceKind.FOLDER, key, name, mtime_ns=mtime_ns)
        with Session(self.engine) as session:
            source = source_at(session, DEFAULT_ORGANIZATION_ID, SourceKind.FOLDER, key)
            if source is not None and (source.size, source.mtime_ns) == found.state:
                return
        try:
            if size > self.intake.blobs.max_bytes:
                raise self.intake.blobs.too_large(name)
            with found.path.open("rb") as stream:
                self.intake.admit(arrival, stream)
        except (UnsupportedMedia, TooLarge, EmptyDocument) as refusal:
            log.warning("folder_file_passed_over", file=key, reason=refusal.detail)
            self._remember_refusal(key, found, refusal.detail)
        except Unavailable as error:
            INGEST_TROUBLE.labels("folder_file").inc()
            log.warning("folder_file_postponed", file=key, reason=error.detail)
            self._hints.postpone(str(found.path), BUSY_S, found.state)

    def _remember_refusal(self, key: str, found: FoundFile, reason: str) -> None:
        """So that the file is looked at again only when it changed. A document that it gave before stays until there
        is a readable next version: the file may be half written."""
        with Session(self.engine) as session:
            row = source_at(session, DEFAULT_ORGANIZATION_ID, SourceKind.FOLDER, key)
            row = row or SourceRow(kind=SourceKind.FOLDER, key=key, size=0)
            row.size, row.mtime_ns = found.state
            row.refusal = reason
            session.add(row)
            session.commit()

    def _may_have_moved(self) -> bool:
        now = time.monotonic()
        self._missing_since = self._missing_since or now
        if not len(self._hints) or now - self._missing_since > MOVE_S:
            return False
        self._hints.disturb()
        return True

    def _hold_back(self, files: int, changed: int, count: int, reason: str) -> ScanReport:
        note = f"{reason} Nothing was deleted: POST /sources/watch/scan?confirm=true if it is meant."
        if count != self.held_back:
            INGEST_TROUBLE.labels("held_back").inc()
            log.warning("folder_deletions_held_back", count=count, reason=reason)
        self.held_back, self.note = count, note
        return ScanReport(files, changed, 0, count, note)
