"""File events by watchdog, this file being its only importer. A handler writes into the dirty map and does no more:
one millisecond of work in it loses half of a burst of events."""

import warnings
from pathlib import Path

from watchdog.events import (
    DirAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from ingest_service.watched_folder.hints import SETTLED_S, UNSETTLED_S, Hints
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)


class FolderEvents(FileSystemEventHandler):
    """Feeds hints with what happens below a folder, between `start` and `stop`."""

    def __init__(self, folder: Path, hints: Hints) -> None:
        self.folder = folder
        self.hints = hints
        self._observer = Observer()

    def start(self) -> str:
        """Begin to listen; says why when the system does not allow it (the folder is then polled)."""
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")
        self._observer.schedule(self, str(self.folder), recursive=True)
        try:
            self._observer.start()
        except OSError as error:  # too many watches, or a file system without them
            INGEST_TROUBLE.labels("watch").inc()
            log.warning("folder_events_unavailable", reason=error.strerror)
            return f"no events can be had: {error.strerror or error}"
        return ""

    def stop(self) -> None:
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    def dispatch(self, event: FileSystemEvent) -> None:
        match event:
            case FileMovedEvent():
                self.hints.touch(str(event.dest_path), SETTLED_S)
                self.hints.disturb()
            case FileClosedEvent():
                self.hints.touch(str(event.src_path), SETTLED_S)
            case FileCreatedEvent() | FileModifiedEvent() | FileAttribEvent():
                self.hints.touch(str(event.src_path), UNSETTLED_S)
            case FileDeletedEvent() | DirCreatedEvent() | DirDeletedEvent() | DirMovedEvent() | DirAttribEvent():
                self.hints.disturb()
