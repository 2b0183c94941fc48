"""The files that `xgtwin ingest` sends: found below a folder, named as the service names them, known by their bytes."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ingest_service.names import clean_path


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file here. `name` is its place below the folder that is sent, so that `a/leia.txt` and `b/leia.txt` are two."""

    path: Path
    name: str

    def fingerprint(self) -> dict[str, str | int]:
        """What the service compares: name, hash and size. Raises `OSError` when the file cannot be read."""
        with self.path.open("rb") as stream:
            return {
                "path": self.name,
                "sha256": hashlib.file_digest(stream, "sha256").hexdigest(),
                "size": os.fstat(stream.fileno()).st_size,
            }


def local_files(root: Path, ignore: Sequence[str]) -> list[LocalFile]:
    """The file, or all files below the folder in the order of their names; links and ignored names are passed over."""
    return [LocalFile(path, clean_path(_spelled(root, path))) for path in _paths(root, ignore)]


def _paths(root: Path, ignore: Sequence[str]) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for path in sorted(root.rglob("*")):
        passed_over = any(fnmatch(part, pattern) for part in path.relative_to(root).parts for pattern in ignore)
        if path.is_file() and not path.is_symlink() and not passed_over:
            yield path


def _spelled(root: Path, path: Path) -> str:
    name = path.name if path == root else path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:  # a name from a Windows disk; the watched folder reads it the same way
        return os.fsencode(name).decode("cp1252", errors="replace")
    return name
