"""What it means that files are missing: they were deleted, they moved, or the folder is not what it was.

Deleting is the one thing that the next scan cannot make good. So a file counts as deleted only when it was missing at
two looks, when no file that is just coming in can be it under a new name, and when its vanishing does not look like an
accident. What is held back stays so, whatever else comes and goes, until it comes back or is confirmed. A restart works
it out anew from what is missing then.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from ingest_service.watched_folder.remembered import KnownFile
from ingest_service.watched_folder.scan import Folder, named

FEW = 5
"""So few documents may always vanish together; from here on, half of all or a whole sub-folder looks like an
accident."""
BELIEVED_S = 2.0
"""A file is gone when it was missing for so long: a scan may cross a move, and editors replace by delete and create."""

Identity = tuple[int, int]
"""Device and inode: another folder mounted or put in the same place has another one."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of the missing files, each of whose keys is in one of the three lists."""

    gone: list[str]
    held: list[str]
    """Looks like an accident, see `reason`."""
    waiting: list[str]
    """May have moved, or is missing only since a moment."""
    orphaned: Mapping[str, UUID]
    """The documents that only missing files vouch for."""
    reason: str = ""

    def documents(self, keys: Collection[str]) -> int:
        """How many documents go if these files are forgotten."""
        return len({self.orphaned[key] for key in keys if key in self.orphaned})


class Departures:
    """Remembers since when files are missing, and which folder it was. Used by one scan at a time."""

    def __init__(self) -> None:
        self._missing_since: dict[str, float] = {}
        self._identity: Identity | None = None
        self._held: set[str] = set()
        self._reason = ""

    def note(self, missing: Collection[str], identity: Identity | None, *, confirmed: bool) -> None:
        """What this scan saw. A folder of which nothing is missing, or that was confirmed, is the right one."""
        now = time.monotonic()
        self._missing_since = {key: self._missing_since.get(key, now) for key in missing}
        if confirmed or not missing or self._identity is None:
            self._identity = identity
        self._held = set() if confirmed else self._held.intersection(missing)

    def hold(self, verdict: Verdict, identity: Identity | None) -> None:
        """Keep to what was held back, else a few new files would make the loss look small. Not what another folder
        lacks: that says nothing of the right one, which may come back."""
        if verdict.held and identity == self._identity:
            self._held.update(verdict.held)
            self._reason = verdict.reason

    def judge(
        self,
        known: Mapping[str, KnownFile],
        folder: Folder,
        *,
        identity: Identity | None,
        moving: Collection[str],
        elsewhere: Collection[UUID],
        confirmed: bool,
    ) -> Verdict:
        """Changes nothing. `moving` are missing files that may be there under a new name, `elsewhere` the documents
        that need no file; with `confirmed`, what looks like an accident is meant."""
        believed = time.monotonic() - BELIEVED_S
        lost = {key: file for key, file in known.items() if folder.misses(key) and key not in moving}
        kept = {file.document_id for key, file in known.items() if key not in lost}.union(elsewhere)
        orphaned = {
            key: file.document_id for key, file in lost.items() if file.document_id and file.document_id not in kept
        }
        held: Collection[str] = ()
        reason = ""
        kept_back = set() if confirmed else self._held.intersection(lost)
        if not confirmed and any(file.matters for file in lost.values()):
            reason = self._accident(orphaned, folder, identity, half=_half_of(known, elsewhere))
            held, reason = (lost, reason) if reason else _whole_sub_folders(lost, orphaned, folder)
        held = kept_back.union(held)
        rest = [key for key in lost if key not in held]
        gone = [key for key in rest if confirmed or self._missing_since.get(key, believed + 1) <= believed]
        waiting = sorted({*moving, *rest}.difference(gone))
        return Verdict(gone, sorted(held), waiting, orphaned, reason or (self._reason if held else ""))

    def _accident(self, orphaned: Mapping[str, UUID], folder: Folder, identity: Identity | None, *, half: float) -> str:
        """Why the folder as a whole is not believed; empty if it is."""
        if identity is None:
            return "The watched folder is missing."
        if not folder.files and not folder.unreadable:
            return "The watched folder is empty."
        if self._identity not in {None, identity}:
            return "The watched folder is another one than before (unmounted, mounted over or replaced)."
        count = len(set(orphaned.values()))
        if count >= FEW and count > half:
            return f"{count} documents vanished from the watched folder at once."
        return ""


def _half_of(known: Mapping[str, KnownFile], elsewhere: Collection[UUID]) -> float:
    documents = {file.document_id for file in known.values() if file.document_id}
    return len(documents.difference(elsewhere)) / 2


def _whole_sub_folders(
    lost: Collection[str], orphaned: Mapping[str, UUID], folder: Folder
) -> tuple[Collection[str], str]:
    """The lost files of folders right below the watched one of which nothing is left."""
    left = {key.partition("/")[0] for key in folder.files}
    documents: dict[str, set[UUID]] = {}
    for key, document in orphaned.items():
        top, below, _ = key.lstrip("/").partition("/")
        if below and top not in left:
            documents.setdefault(top, set()).add(document)
    tops = {top for top, gone in documents.items() if len(gone) >= FEW}
    if not tops:
        return (), ""
    return {
        key for key in lost if key.lstrip("/").partition("/")[0] in tops
    }, f"Nothing is left of {named(sorted(tops))}."
