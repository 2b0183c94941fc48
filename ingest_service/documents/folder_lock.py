"""A lock of all threads and processes that use one folder, here or through a file share that knows locks."""

import fcntl
import threading
from pathlib import Path
from types import TracebackType
from typing import IO


class FolderLock:
    """`with lock:` as often as one likes within a thread. The system frees it when its holder dies."""

    def __init__(self, path: Path) -> None:
        """`path` is a file beside what is guarded; it is made when it is first needed, and stays."""
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                file = self._path.open("ab")
                fcntl.flock(file, fcntl.LOCK_EX)
                self._file = file
            self._depth += 1
        except BaseException:
            self._threads.release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0 and self._file is not None:
            # Before closing: a child forked meanwhile has the file open too, and would hold the lock.
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._file.close()
            self._file = None
        self._threads.release()
