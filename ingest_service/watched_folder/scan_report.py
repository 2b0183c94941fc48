"""What a scan found, as the API and `xgtwin scan` tell it."""

from collections.abc import Sequence
from enum import StrEnum

from shared.models import Frozen

MAX_CHANGES = 1000
"""So many changes are listed; the others are counted."""


class What(StrEnum):
    """What a scan found of one file."""

    NEW = "new"
    """Not known yet; taken when it is quiet."""
    CHANGED = "changed"
    """Not as it was when it was last taken."""
    RENAMED = "renamed"
    """A document under another name or in another place. Only a dry run tells it from a new and a missing file, as it
    reads both."""
    DELETED = "deleted"
    """Gone; its document goes unless it has another source."""
    HELD_BACK = "held back"
    """Gone, but it looks like an accident: its document stays until the scan is confirmed."""
    WAITING = "waiting"
    """Gone a moment ago: it may have moved, or be on its way back. The next scan tells."""
    REFUSED = "refused"
    """There, and no document: the reason is in `detail`."""
    IGNORED = "ignored"
    """Passed over because of its name (INGEST__IGNORE)."""


class FileChange(Frozen):
    """A file (or an ignored folder) by its path inside the watched folder."""

    path: str
    what: What
    detail: str = ""


class ScanReport(Frozen):
    """What a scan found. `held_back` documents would have been deleted; a confirmed scan does it."""

    files: int
    unchanged: int
    new_or_changed: int
    deleted: int
    held_back: int
    note: str = ""
    dry_run: bool = False
    changes: Sequence[FileChange] = ()
    not_listed: int = 0
    """How many changes are not among `changes`, which has at most 1000."""
