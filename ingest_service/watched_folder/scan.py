"""Reading the watched folder as it is: the truth behind the hints. Nothing is opened here."""

import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch, translate
from pathlib import Path, PurePosixPath

from ingest_service.tables import SourceKind, place_of
from ingest_service.watched_folder.opening import FileState
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)

NAMED = 3
"""So many paths are named in a note; the others are counted."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file of the folder: where it lies, and its state when it was looked at."""

    path: str
    state: FileState


@dataclass
class Folder:
    """The folder as a scan found it, by key.

    Of files whose names differ only in case or in how accents are written, `files` has the newest and `twins` the
    others. `refused` are links, pipes and the like; `unreadable` is what could not be looked at.
    """

    files: dict[str, FoundFile] = field(default_factory=dict)
    twins: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)

    def misses(self, key: str) -> bool:
        """Whether the file is not there; what lies in an unreadable sub-folder is not known to be gone."""
        hidden = any(place == "." or PurePosixPath(key.lstrip("/")).is_relative_to(place) for place in self.unreadable)
        return key not in self.files and not hidden

    @property
    def note(self) -> str:
        """What an operator must know about the folder; empty when all of it was read."""
        sentences = []
        if self.unreadable:
            names = named(["the folder itself" if key == "." else key for key in self.unreadable])
            sentences.append(
                f"Not readable: {names}. Its documents stay as they are; give the service permission to read it."
            )
        for key in list(self.twins)[:NAMED]:
            others = named(self.twins[key])
            sentences.append(
                f"{key} and {others} are one name, written differently: the newest of the files is read. Rename them."
            )
        if self.refused:
            sentences.append(f"Not taken: {named([f'{key} ({why})' for key, why in self.refused.items()])}.")
        return " ".join(sentences)


def named(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def key_of(path: str, root: Path) -> str:
    """How a file is remembered: its path inside the folder, in NFC whatever the file system does to accents."""
    return _readable(path.removeprefix(f"{root}/"))


def folded(key: str) -> str:
    """The same for all spellings of one path: upper and lower case, accents composed or not."""
    return place_of(SourceKind.FOLDER, key)


def ignored(key: str, patterns: Sequence[str]) -> bool:
    """Whether the file, or a folder it lies in, bears a name to be passed over."""
    return any(fnmatch(part, pattern) for part in PurePosixPath(key).parts for pattern in patterns)


def look_at(path: str) -> FoundFile | None:
    """The file now, or None if no regular file is there (links are none)."""
    try:
        status = os.lstat(path)
    except OSError:  # gone between the hint and now; a scan tells whether it is gone or unreadable
        return None
    return FoundFile(path, FileState.of(status)) if stat.S_ISREG(status.st_mode) else None


def read_folder(root: Path, patterns: Sequence[str]) -> Folder:
    """All regular files below `root` that are not ignored; links are not followed. A missing folder is an empty one."""
    folder = Folder()
    passed_over = re.compile("|".join(map(translate, patterns)) or "(?!)")
    spellings: dict[str, str] = {}
    for key, found in _files(str(root), "", passed_over, folder):
        rival = spellings.setdefault(folded(key), key)
        if rival in folder.files:
            spellings[folded(key)] = _settle_twins(folder, root, (rival, folder.files.pop(rival)), (key, found))
        else:
            folder.files[key] = found
    for key, reason in folder.unreadable.items():
        INGEST_TROUBLE.labels("scan").inc()
        log.warning("folder_not_readable", folder=key, reason=reason)
    return folder


def _settle_twins(folder: Folder, root: Path, one: tuple[str, FoundFile], two: tuple[str, FoundFile]) -> str:
    """Keep the newest of two files of one name (of equally new ones always the same); returns its key."""
    (_, older), (key, newest) = sorted((one, two), key=lambda twin: (twin[1].state.mtime_ns, twin[1].path))
    folder.files[key] = newest
    folder.twins[key] = [*folder.twins.pop(one[0], []), _readable(older.path.removeprefix(f"{root}/"))]
    return key


def _files(path: str, prefix: str, passed_over: re.Pattern[str], folder: Folder) -> Iterator[tuple[str, FoundFile]]:
    """The regular files below `path`, folder by folder; all that is none of them is noted in `folder`."""
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except FileNotFoundError:  # removed since it was listed
        return
    except OSError as problem:
        folder.unreadable[prefix.rstrip("/") or "."] = problem.strerror or "input or output failed"
        return
    for entry in entries:
        key = prefix + _readable(entry.name)
        if passed_over.match(entry.name):
            folder.ignored.append(key)
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path, f"{key}/", passed_over, folder)
                continue
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as problem:
            folder.unreadable[key] = problem.strerror or "input or output failed"
            continue
        if stat.S_ISREG(status.st_mode):
            yield key, FoundFile(entry.path, FileState.of(status))
        else:
            folder.refused[key] = "is a link" if entry.is_symlink() else "is no regular file"


def _readable(name: str) -> str:
    """In NFC; names that are not UTF-8 (old archives, shares of Windows) as Windows-1252: the database takes only
    text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        name = os.fsencode(name).decode("cp1252", errors="replace")
    return unicodedata.normalize("NFC", name)
