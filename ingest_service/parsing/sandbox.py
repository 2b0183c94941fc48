"""Reading documents in child processes, so that a malicious or broken one kills only its own reader.

A child has a bounded address space and a deadline; it dies with its parent. Measured on bombs: a content stream of
a few kilobytes takes 5-8 GB or never ends, in every PDF engine tried.
"""

import fcntl
import gc
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as DeadlineExceeded
from concurrent.futures import wait
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from ingest_service.parsing import registry
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.errors import ParserDied, UnreadableDocument
from ingest_service.parsing.offline import forbid_network
from shared.observability.logs import get_logger

log = get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

DOOR_SECONDS = 5.0
"""How long a sender waits for the quick check; a document that takes longer is judged by its job."""
TICK_S = 0.5
TASKS_PER_CHILD = 200
"""A child is replaced now and then: native parsers give memory back to nobody."""
WORN_OUT = 77
"""Exit code of a child that has too little left for another document; it is no document's fault."""
WORN_SHARE = 0.7


class Sandbox:
    """A few reading processes: `readers` for documents, which may all be busy for long, and one more for what somebody
    waits for (the check at the door, page images).

    Thread-safe. Starting is lazy: the children come up with the first document, or with `warm_up`.
    """

    def __init__(self, limits: ParsingLimits, readers: int) -> None:
        self.limits = limits
        self.readers = readers
        self._free = threading.BoundedSemaphore(readers)
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
        """Run a module-level function on untrusted bytes in a child. `still_wanted` is called every half second, also
        while all readers are busy; what it raises ends the run.

        Raises what the function raises (`UnreadableDocument` when the document cannot be read), and `ParserDied` out
        of memory or time.
        """
        return self.call_within(self.limits.timeout_s, still_wanted, function, *args, **kwargs)

    def call_within(
        self,
        seconds: float,
        still_wanted: Callable[[], None],
        function: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """As `call`, with a deadline of its own: for pieces of a document, which must not take as long as all of it."""
        while not self._free.acquire(timeout=TICK_S):
            still_wanted()
        try:
            return self._run(seconds, still_wanted, function, args, kwargs)
        finally:
            self._free.release()

    def call_now(self, seconds: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `call`, for what somebody waits for: it needs no free reader. The caller bounds how many run at once."""
        return self._run(seconds, lambda: None, function, args, kwargs)

    def _run(
        self,
        seconds: float,
        still_wanted: Callable[[], None],
        function: Callable[..., T],
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> T:
        while True:
            task = self._pool.schedule(_bounded, (seconds, function, args, kwargs), timeout=seconds)
            try:
                result: T = self._awaited(task, seconds, still_wanted)
                return result
            except ProcessExpired as error:
                if error.exitcode != WORN_OUT:
                    raise self._died() from error
            except MemoryError as error:
                raise self._died() from error

    def _awaited(self, task: "ProcessFuture[Any]", seconds: float, still_wanted: Callable[[], None]) -> Any:
        try:
            while not wait([task], timeout=TICK_S).done:
                still_wanted()
        except BaseException:
            task.cancel()  # type: ignore[no-untyped-call]
            raise
        try:
            return task.result()
        except DeadlineExceeded as error:
            raise ParserDied(
                f"Reading the document took longer than {seconds:g} s (INGEST__PARSE_TIMEOUT_S)."
            ) from error

    def _died(self) -> ParserDied:
        return ParserDied(
            "The document brought its reader down, probably out of memory: "
            f"{self.limits.memory_mb} MiB are allowed (INGEST__PARSE_MEMORY_MB)."
        )

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
    # Layouts are many small objects without cycles: looking for cycles took a quarter of the time of a page.
    gc.set_threshold(200_000, 50, 100)
    try:
        forbid_network()
    except OSError as error:
        # Emulated machines have no such filters; what is left then is that no parser is asked to fetch anything.
        log.warning("network_not_forbidden", reason=str(error))
    # liteparse's allocator would reserve a gigabyte of the address space with its first page.
    os.environ["MIMALLOC_ARENA_RESERVE"] = "65536"  # KiB
    _die_with_the_service()


def _die_with_the_service() -> None:
    """Ask for SIGIO, whose default is death, when the service's end of the pipe between us closes.

    It needs no cooperation of the code that is running then: a parser in an endless loop is ended too.
    """
    parent = multiprocessing.parent_process()
    if parent is None or not hasattr(fcntl, "F_SETOWN"):
        return
    pipe = int(parent.sentinel)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)


class _Wear:
    """What the documents so far did to this child."""

    used = False
    suspect = False
    """Something unforeseen was raised, such as out of memory in the middle of an import, which cannot be repeated."""

    def worn_out(self) -> bool:
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        return self.suspect or (self.used and held > WORN_SHARE * resource.getrlimit(resource.RLIMIT_AS)[0])


_wear = _Wear()


def _bounded(seconds: float, function: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
    if _wear.worn_out():
        os._exit(WORN_OUT)
    # The pool enforces the deadline; the alarm is for a pool that cannot any more.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + 5)
    _wear.used = _wear.suspect = True
    try:
        result = function(*args, **kwargs)
    except UnreadableDocument:
        _wear.suspect = False
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    _wear.suspect = False
    return result


def _parse(path: Path, media_type: str, limits: ParsingLimits) -> ParsedDocument:
    return registry.parse(path.read_bytes(), media_type, limits)


def _check(path: Path, media_type: str, limits: ParsingLimits) -> None:
    registry.check(path.read_bytes(), media_type, limits)


def _load_parsers() -> None:
    registry.preload()
