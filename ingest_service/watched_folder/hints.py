"""What the file system said lately: paths that may have changed, and when each of them may be looked at.

Events are hints, never the truth: some are lost, some come while a file is half written. So a hint only starts a
quiet time, and a disturbance (a deletion, a folder that moved, an overflow) only asks for a scan.
"""

import threading
import time
from dataclasses import dataclass

from ingest_service.watched_folder.opening import FileState

SETTLED_S = 0.5
"""Quiet time after a file was closed or moved here: it is complete."""
UNSETTLED_S = 2.0
"""Quiet time after any other event: it may still be growing."""
CALM_S = 0.5
"""A scan waits until disturbances have stopped for so long, ..."""
IMPATIENCE_S = 5.0
"""... but no longer than this: a folder where something always goes on is scanned too."""


@dataclass(slots=True)
class _Hint:
    due: float
    state: FileState | None = None
    postponed: bool = False


class Hints:
    """A dirty map. Thread-safe; `touch` and `disturb` are called from event handlers and do next to nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hints: dict[str, _Hint] = {}
        self._first_disturbance = self._last_disturbance = 0.0

    def touch(self, path: str, quiet_s: float, state: FileState | None = None) -> None:
        """Something happened to the file: look at it when it was quiet for so long. `state` is what it is now, and
        must still be then; without it, it is measured soon."""
        with self._lock:
            known = self._hints.get(path)
            self._hints[path] = _Hint(
                time.monotonic() + quiet_s,
                state or (known.state if known else None),
                postponed=known is not None and known.postponed,
            )

    def postpone(self, path: str, pause_s: float, state: FileState) -> None:
        """The file cannot be taken now: look again after the pause. Nobody waits for it meanwhile."""
        with self._lock:
            self._hints[path] = _Hint(time.monotonic() + pause_s, state, postponed=True)

    def seen(self, path: str, state: FileState) -> None:
        """A scan saw a file that is not known in this state: a hint, unless there is the same one already."""
        with self._lock:
            known = self._hints.get(path)
            if known is None or known.state not in {None, state}:
                # Its own times do not tell how long it was quiet: clocks jump, and tools that copy set them.
                self._hints[path] = _Hint(time.monotonic() + UNSETTLED_S, state)

    def disturb(self) -> None:
        """Something happened that only a scan can tell the outcome of."""
        with self._lock:
            self._last_disturbance = time.monotonic()
            self._first_disturbance = self._first_disturbance or self._last_disturbance

    def unmeasured(self) -> list[str]:
        """Paths whose state nobody noted yet."""
        with self._lock:
            return [path for path, hint in self._hints.items() if hint.state is None]

    def measured(self, path: str, state: FileState) -> None:
        """Note the state of a path for comparison when its quiet time is over."""
        with self._lock:
            if path in self._hints:
                self._hints[path].state = state

    def take_due(self) -> list[tuple[str, FileState | None]]:
        """Paths whose quiet time is over, with the state noted before; they are forgotten here."""
        now = time.monotonic()
        with self._lock:
            due = [(path, hint.state) for path, hint in self._hints.items() if hint.due <= now]
            for path, _ in due:
                del self._hints[path]
        return due

    def take_disturbance(self) -> bool:
        """Whether a scan is wanted now; asking for it is forgotten here."""
        now = time.monotonic()
        with self._lock:
            first, last = self._first_disturbance, self._last_disturbance
            if not first or (now - last < CALM_S and now - first < IMPATIENCE_S):
                return False
            self._first_disturbance = 0.0
            return True

    def sizes(self) -> set[int]:
        """Sizes of the files that are just coming in, as far as they are measured."""
        with self._lock:
            return {hint.state.size for hint in self._hints.values() if hint.state and not hint.postponed}

    def __len__(self) -> int:
        """How many files are just coming in; those that were postponed may never come."""
        with self._lock:
            return sum(not hint.postponed for hint in self._hints.values())
