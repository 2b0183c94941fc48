"""Reading documents in child processes, so that a malicious or broken one kills only its own reader.

A child has a bounded address space and a deadline; it dies with its parent. Measured on bombs: a content stream of
a few kilobytes takes 5-8 GB or never ends, in every PDF engine tried.
"""

import multiprocessing
import resource
import signal
from collections.abc import Callable
from concurrent.futures import TimeoutError as DeadlineExceeded
from concurrent.futures import wait
from pathlib import Path
from typing import ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from ingest_service.parsing import registry
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.errors import ParserDied
from shared.observability.logs import get_logger

log = get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

DOOR_SECONDS = 5.0
"""How long a sender waits for the quick check; a document that takes longer is judged by its job."""
TICK_S = 0.5
TASKS_PER_CHILD = 200
"""A child is replaced now and then: native parsers give memory back to nobody."""


class Sandbox:
    """A few reading processes: one for each worker, and one more so that the door never waits for a long document.

    Thread-safe. Starting is lazy: the children come up with the first document, or with `warm_up`.
    """

    def __init__(self, limits: ParsingLimits, readers: int) -> None:
        self.limits = limits
        self._pool = ProcessPool(
            max_workers=readers + 1,
            max_tasks=TASKS_PER_CHILD,
            initializer=_confine,
            initargs=(limits.memory_mb,),
            # fork would copy locks held by other threads of the service, and its open store.
            context=multiprocessing.get_context("spawn"),
        )

    def warm_up(self) -> None:
        """Start the children now, so that the first document does not wait for them."""
        self._pool.schedule(_load_parsers)

    def parse(self, path: Path, media_type: str, *, still_wanted: Callable[[], None]) -> ParsedDocument:
        """Read a whole document; as `call`."""
        return self.call(still_wanted, _parse, path, media_type, self.limits)

    def call(self, still_wanted: Callable[[], None], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a module-level function on untrusted bytes in a child. `still_wanted` is called every half second; what
        it raises ends the run.

        Raises what the function raises (`UnreadableDocument` when the document cannot be read), and `ParserDied` out
        of memory or time.
        """
        task = self._pool.schedule(
            _bounded, (self.limits.timeout_s, function, args, kwargs), timeout=self.limits.timeout_s
        )
        try:
            while not wait([task], timeout=TICK_S).done:
                still_wanted()
        except BaseException:
            task.cancel()  # type: ignore[no-untyped-call]
            raise
        try:
            result: T = task.result()
            return result
        except DeadlineExceeded as error:
            raise ParserDied(
                f"Reading the document took longer than {self.limits.timeout_s:g} s (INGEST__PARSE_TIMEOUT_S)."
            ) from error
        except (ProcessExpired, MemoryError) as error:
            raise ParserDied(
                "The document brought its reader down, probably out of memory: "
                f"{self.limits.memory_mb} MiB are allowed (INGEST__PARSE_MEMORY_MB)."
            ) from error

    def check(self, path: Path, media_type: str) -> None:
        """Raise `UnreadableDocument` if that can be told at a glance; whoever survives is judged by its job."""
        task = self._pool.schedule(_check, (path, media_type, self.limits), timeout=DOOR_SECONDS)
        try:
            task.result(timeout=DOOR_SECONDS + 1)
        except (DeadlineExceeded, ProcessExpired, MemoryError) as error:
            log.warning("door_check_gave_up", reason=type(error).__name__)

    def close(self) -> None:
        """End the children, whatever they are reading."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


def _confine(memory_mb: int) -> None:
    size = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _bounded(seconds: float, function: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
    # The pool enforces the deadline while the service lives; the alarm ends a child whose parent was killed.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + 5)
    try:
        return function(*args, **kwargs)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _parse(path: Path, media_type: str, limits: ParsingLimits) -> ParsedDocument:
    return registry.parse(path.read_bytes(), media_type, limits)


def _check(path: Path, media_type: str, limits: ParsingLimits) -> None:
    registry.check(path.read_bytes(), media_type, limits)


def _load_parsers() -> None:
    registry.preload()
