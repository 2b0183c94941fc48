"""A lock of all threads and processes that use one folder, here or through a file share that knows locks."""

import fcntl
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO

LOOK_AGAIN_S = 0.05
"""The system tells nobody that a lock is free who does not wait for it without end."""


class FolderLock:
    """`with lock:` as often as one likes within a thread. The system frees it when its holder dies."""

    def __init__(self, path: Path) -> None:
        """`path` is a file beside what is guarded; it is made when it is first needed, and stays."""
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> None:
        self.take()

    def take(self, within_s: float | None = None) -> bool:
        """The same without `with`, to be ended by `let_go`. False if others held it for `within_s` seconds."""
        until = None if within_s is None else time.monotonic() + within_s
        if not self._threads.acquire(timeout=-1 if within_s is None else within_s):
            return False
        taken = False
        try:
            taken = self._depth > 0 or self._locked(until)
            self._depth += taken
        finally:
            if not taken:
                self._threads.release()
        return taken

    def _locked(self, until: float | None) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            file = opened.enter_context(self._path.open("ab"))
            while not _flocked(file, wait=until is None):
                if until is None or time.monotonic() >= until:
                    return False
                time.sleep(LOOK_AGAIN_S)
            opened.pop_all()
            self._file = file
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go()

    def let_go(self) -> None:
        """Once for each `take`."""
        self._depth -= 1
        if self._depth == 0 and self._file is not None:
            # Before closing: a child forked meanwhile has the file open too, and would hold the lock.
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._file.close()
            self._file = None
        self._threads.release()


def _flocked(file: IO[bytes], *, wait: bool) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
