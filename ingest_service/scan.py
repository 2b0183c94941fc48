"""Reading the watched folder as it is, and comparing it with what is known of it: the truth behind the hints."""

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session, select

from ingest_service.tables import SourceKind, SourceRow
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)

FEW = 5
"""So few documents may always vanish together; from here on, half of all at once looks like an accident."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the folder. `path` opens it, `state` is (size, mtime_ns)."""

    path: Path
    state: tuple[int, int]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What is remembered of a file: its state when it was last taken, and whether it gave a document."""

    source_id: UUID
    state: tuple[int, int]
    has_document: bool


@dataclass(frozen=True)
class Folder:
    """The folder as a scan found it. `unreadable` are the keys of sub-folders that could not be looked into."""

    files: Mapping[str, FoundFile]
    unreadable: tuple[str, ...] = ()

    def misses(self, key: str) -> bool:
        """Whether the file is not there; what lies in an unreadable sub-folder is not known to be gone."""
        hidden = any(folder == "." or PurePosixPath(key).is_relative_to(folder) for folder in self.unreadable)
        return key not in self.files and not hidden

    @property
    def note(self) -> str:
        """What an operator must know about the folder; empty when all of it was read."""
        if not self.unreadable:
            return ""
        names = ", ".join("the folder itself" if key == "." else key for key in self.unreadable)
        return f"Not readable: {names}. Its documents stay as they are; give the service permission to read it."


def key_of(path: Path, root: Path) -> str:
    """How a file is remembered: its path inside the folder, in NFC whatever the file system does to accents."""
    return unicodedata.normalize("NFC", _readable(PurePosixPath(path.relative_to(root)).as_posix()))


def ignored(key: str, patterns: Sequence[str]) -> bool:
    """Whether the file, or a folder it lies in, bears a name to be passed over."""
    return any(fnmatch(part, pattern) for part in PurePosixPath(key).parts for pattern in patterns)


def look_at(path: Path, root: Path) -> FoundFile | None:
    """The file now, or None if there is no regular file, or only a link to one outside the folder."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            return None
        stat = path.stat()
    except OSError:  # gone between the hint and now
        return None
    return FoundFile(path, (stat.st_size, stat.st_mtime_ns)) if path.is_file() else None


def read_folder(root: Path, patterns: Sequence[str]) -> Folder:
    """All files below `root` that are not ignored; folders behind links are not entered."""
    unreadable: dict[str, str | None] = {}
    files = {key_of(path, root): found for path, found in _files(root, root, patterns, unreadable)}
    for key, reason in unreadable.items():
        INGEST_TROUBLE.labels("scan").inc()
        log.warning("folder_not_readable", folder=key, reason=reason)
    return Folder(files, tuple(unreadable))


def known_files(engine: Engine) -> dict[str, KnownFile]:
    """What is remembered of the folder, by key."""
    with Session(engine) as session:
        rows = session.exec(
            select(SourceRow).where(
                SourceRow.kind == SourceKind.FOLDER, SourceRow.organization_id == DEFAULT_ORGANIZATION_ID
            )
        )
        return {
            row.key: KnownFile(row.id, (row.size, row.mtime_ns), has_document=row.document_id is not None)
            for row in rows
        }


def looks_like_an_accident(vanished: int, known: int) -> bool:
    """Whether so many documents that vanish at once are rather an unmounted or emptied folder."""
    return vanished >= FEW and vanished > known / 2


def _readable(name: str) -> str:
    """Names that are not UTF-8 (old archives, shares of Windows) as Windows-1252: the database takes only text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("cp1252", errors="replace")
    return name


def _files(
    root: Path, folder: Path, patterns: Sequence[str], unreadable: dict[str, str | None]
) -> Iterator[tuple[Path, FoundFile]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as problem:
        unreadable[key_of(folder, root)] = problem.strerror
        return
    for entry in entries:
        path = Path(entry.path)
        if ignored(key_of(path, root), patterns):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(root, path, patterns, unreadable)
        elif found := look_at(path, root):
            yield path, found
