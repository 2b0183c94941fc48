"""File events by watchdog, this file being its only importer. A handler writes into the dirty map and does no more:
one millisecond of work in it loses half of a burst of events."""

import warnings
from pathlib import Path
from typing import Literal

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from ingest_service.hints import SETTLED_S, UNSETTLED_S, Hints
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)

# File systems that deliver no events for what another machine (or the host of a container) writes.
_SILENT_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.grpcfuse", "fuse.sshfs", "fakeowner", "virtiofs", "vboxsf"}
)
_MOUNTS = Path("/proc/self/mounts")


class FolderEvents(FileSystemEventHandler):
    """Feeds hints with what happens below a folder, between `start` and `stop`."""

    def __init__(self, folder: Path, hints: Hints) -> None:
        self.folder = folder
        self.hints = hints
        self._observer = Observer()

    def start(self) -> bool:
        """Begin to listen; False when the system does not allow it (the folder is then polled)."""
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")
        self._observer.schedule(self, str(self.folder), recursive=True)
        try:
            self._observer.start()
        except OSError as error:  # too many watches, or a file system without them
            INGEST_TROUBLE.labels("watch").inc()
            log.warning("folder_events_unavailable", reason=error.strerror)
            return False
        return True

    def stop(self) -> None:
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    @property
    def alive(self) -> bool:
        return self._observer.is_alive()

    def dispatch(self, event: FileSystemEvent) -> None:
        match event:
            case FileMovedEvent():
                self.hints.touch(str(event.dest_path), SETTLED_S)
                self.hints.disturb()
            case FileClosedEvent():
                self.hints.touch(str(event.src_path), SETTLED_S)
            case FileCreatedEvent() | FileModifiedEvent():
                self.hints.touch(str(event.src_path), UNSETTLED_S)
            case FileDeletedEvent() | DirCreatedEvent() | DirDeletedEvent() | DirMovedEvent():
                self.hints.disturb()


def chosen_mode(wanted: Literal["auto", "inotify", "polling", "off"], folder: Path) -> str:
    """How to watch: as configured, or for `auto` by events unless the folder lies where there are none."""
    if wanted != "auto":
        return wanted
    return "polling" if _file_system_of(folder) in _SILENT_FILE_SYSTEMS else "inotify"


def _file_system_of(folder: Path) -> str:
    """The type of the file system that holds the folder, empty where the system does not say."""
    try:
        mounts = [line.split()[1:3] for line in _MOUNTS.read_text().splitlines()]
    except OSError:
        return ""
    place = folder.resolve()
    holding = [(point, kind) for point, kind in mounts if place.is_relative_to(point.replace("\\040", " "))]
    return max(holding, key=lambda mount: len(mount[0]), default=("", ""))[1]
