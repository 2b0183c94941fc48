"""Opening a file of the watched folder so that this file is read, all of it, and nothing else.

Whoever may write into the folder may swap things at any moment: a file for a link to somewhere else, for a pipe that
nobody fills, or for its own next version. So no link is followed, no pipe is waited for, and what was read counts only
if the file was the same at its end.
"""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_INT64 = 2**63 - 1
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# NONBLOCK: opening a pipe returns at once instead of waiting for somebody who writes into it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class FileState(NamedTuple):
    """What a change of a file is noticed by, without reading it.

    Size and time of the last change are not enough: tools that copy restore the time, and a clock may have jumped. The
    change time is the file system's own and cannot be set.
    """

    size: int
    mtime_ns: int
    ctime_ns: int = 0
    """0 where it was not remembered yet."""

    @classmethod
    def of(cls, status: os.stat_result) -> "FileState":
        # Some file systems keep times that no database column holds.
        mtime_ns, ctime_ns = (max(-_INT64, min(_INT64, time)) for time in (status.st_mtime_ns, status.st_ctime_ns))
        return cls(status.st_size, mtime_ns, ctime_ns)


class StillChanging(Exception):
    """The file is not the one that was looked at, or did not stay so while it was read."""


class SteadyFile(io.FileIO):
    """A file whose end is only reached if it is still as it was noted; `StillChanging` is raised otherwise."""

    def __init__(self, descriptor: int, state: FileState) -> None:
        super().__init__(descriptor, "rb")
        self._state = state

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        if not piece and FileState.of(os.fstat(self.fileno())) != self._state:
            raise StillChanging
        return piece


@contextmanager
def open_steady(root: Path, path: str, state: FileState) -> Iterator[SteadyFile]:
    """The regular file at `path` below `root`, which was looked at in `state`.

    Raises `StillChanging` if it is another one by now, and `OSError` if it cannot be opened or is a link.
    """
    descriptor = _descend(root, Path(path))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or FileState.of(status) != state:
            raise StillChanging
        stream = SteadyFile(descriptor, state)
    except BaseException:
        os.close(descriptor)
        raise
    with stream:
        yield stream


def _descend(root: Path, path: Path) -> int:
    """Open folder by folder, each relative to the one before, so that none on the way can be a link."""
    *folders, name = path.relative_to(root).parts
    here = os.open(root, _FOLDER)
    try:
        for folder in folders:
            deeper = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = deeper
        return os.open(name, _FILE, dir_fd=here)
    finally:
        os.close(here)
