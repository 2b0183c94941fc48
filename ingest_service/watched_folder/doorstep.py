"""Files of the watched folder on their way in: taken when they are quiet and complete, each for itself.

Whatever is wrong with one file keeps no other out: it is refused and remembered, or looked at again later.
"""

from collections.abc import Sequence
from pathlib import Path

from ingest_service.documents.arrivals import Arrival
from ingest_service.documents.intake import Intake
from ingest_service.names import clean_name
from ingest_service.parsing.errors import UnreadableDocument
from ingest_service.tables import SourceKind
from ingest_service.watched_folder.hints import UNSETTLED_S, Hints
from ingest_service.watched_folder.opening import FileState, StillChanging, open_steady
from ingest_service.watched_folder.remembered import known_file, remember_refusal
from ingest_service.watched_folder.scan import Folder, FoundFile, folded, ignored, key_of, look_at, named
from shared.errors import TooLarge, Unavailable, UnsupportedMedia
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)

BUSY_S = 5.0
"""A file that cannot be taken now (the queue is full) is looked at again after so long."""
UNREADABLE_S = 60.0
"""A file that cannot be opened, or that brought its taking down, is tried again after so long."""


class Doorstep:
    """Takes files in. Used by one thread, or under one lock."""

    def __init__(self, root: Path, ignore: Sequence[str], intake: Intake, hints: Hints) -> None:
        self.root = root
        self.ignore = ignore
        self.intake = intake
        self.hints = hints
        self._places: dict[str, str] = {}
        self._unreadable: dict[str, str] = {}

    @property
    def note(self) -> str:
        """Which files cannot be read; empty when all can."""
        if not self._unreadable:
            return ""
        files = named([f"{key} ({reason})" for key, reason in list(self._unreadable.items())])
        return f"Not readable: {files}. What was known of them stays as it is; they are tried again every minute."

    def expect(self, folder: Folder) -> None:
        """A scan says which file stands for each path, of all that are this path written differently."""
        self._places = {folded(key): found.path for key, found in folder.files.items()}
        self._unreadable = {key: why for key, why in self._unreadable.items() if key in folder.files}

    def measure(self) -> None:
        """Note the state of files of which only the name is known yet."""
        for path in self.hints.unmeasured():
            if found := look_at(path):
                self.hints.measured(path, found.state)

    def take(self, path: str, before: FileState | None) -> None:
        """Take the file if it is still in the state it was in before; look again later otherwise."""
        key = key_of(path, self.root)
        if ignored(key, self.ignore):
            return
        found = look_at(path)
        if found is None:
            self.hints.disturb()
        elif found.state != before:
            self.hints.postpone(path, UNSETTLED_S, found.state)
        elif self._places.setdefault(folded(key), path) != path:
            self.hints.disturb()  # another spelling of a path that is there: the scan chooses
        else:
            self._take_alone(key, found)

    def _take_alone(self, key: str, found: FoundFile) -> None:
        try:
            self._take(key, found)
        except (FileNotFoundError, NotADirectoryError):
            self.hints.disturb()  # gone since the last look
        except StillChanging:
            self.hints.touch(found.path, UNSETTLED_S)
        except Unavailable as error:
            INGEST_TROUBLE.labels("folder_file").inc()
            log.warning("folder_file_postponed", file=key, reason=error.detail)
            self.hints.postpone(found.path, BUSY_S, found.state)
        except Exception as error:
            reason = (error.strerror or "input or output failed") if isinstance(error, OSError) else "see the log"
            INGEST_TROUBLE.labels("folder_file").inc()
            log.warning("folder_file_postponed", file=key, reason=reason, exc_info=not isinstance(error, OSError))
            self._unreadable[key] = reason
            self.hints.postpone(found.path, UNREADABLE_S, found.state)
        else:
            self._unreadable.pop(key, None)

    def _take(self, key: str, found: FoundFile) -> None:
        known = known_file(self.intake.engine, key)
        if known is not None and known.unchanged(found.state):
            return
        size, mtime_ns, ctime_ns = found.state
        name = clean_name(key)
        arrival = Arrival(DEFAULT_ORGANIZATION_ID, SourceKind.FOLDER, key, name, mtime_ns=mtime_ns, ctime_ns=ctime_ns)
        try:
            if size > self.intake.blobs.max_bytes:
                raise self.intake.blobs.too_large(name)
            with open_steady(self.root, found.path, found.state) as stream:
                admission = self.intake.admit(arrival, stream)
            if known is not None and known.document_id not in {None, admission.document_id}:
                self.hints.disturb()  # a scan tells what became of the document that was here
        except (UnsupportedMedia, TooLarge, UnreadableDocument) as refusal:
            log.warning("folder_file_passed_over", file=key, reason=refusal.detail)
            remember_refusal(self.intake.engine, key, found.state, refusal.detail)
