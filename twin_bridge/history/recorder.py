"""Writing down what happens, beside the live twin and never in its way.

Everything is kept in memory first and written by a background task in batches: of a device its newest state, of its
history each change, up to a limit. A database that fails costs history and nothing else. Of several bridges of one name
one writes; the others show what it knew, count in epochs of their own, and are ready to take over.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta

from shared.db.leadership import Leadership
from shared.db.rows import utc_now
from shared.observability.logs import get_logger
from shared.observability.metrics import TWIN_HISTORY_DROPPED, TWIN_HISTORY_FAILURES, TWIN_STAGE_SECONDS
from twin_bridge.history.store import Batch, Change, HistoryStore
from twin_bridge.protocol import Device
from twin_bridge.state import DeviceTable
from twin_bridge.timeline import Timeline

log = get_logger(__name__)

WRITE_SECONDS = 0.5
"""Between two batches: with the time a batch takes, a kill costs less than a second."""
MAX_WAITING = 10_000
"""Changes that wait for the database; beyond it the oldest are dropped, and counted."""
OPEN_SECONDS = 5.0
"""How long the lamps wait for what was known before; a database that comes later is taken in when it comes."""
AGAIN_SECONDS = 5.0
"""Between attempts while the database fails."""
PRUNE_SECONDS = 3600.0
STOP_SECONDS = 5.0


class Recorder:
    """Keeps a device table in a store. All of it runs on the event loop, except for the store's own calls."""

    def __init__(self, table: DeviceTable, store: HistoryStore, leadership: Leadership, keep_days: float) -> None:
        self.trouble = "not opened yet"
        """Why nothing is written at present; empty while all is well."""
        self.writes = False
        """Whether this bridge is the one that writes."""
        self._table, self._store, self._leadership = table, store, leadership
        self._keep = timedelta(days=keep_days)
        self._dirty: dict[str, None] = {}
        self._changes: deque[Change] = deque()
        self._last: dict[str, Device] = {}
        self._stopping, self._tried = asyncio.Event(), asyncio.Event()
        self._followed = False
        self._term = 0
        self._written = 0
        self._pruned_at = -PRUNE_SECONDS

    async def start(self, restored: Callable[[str], None]) -> None:
        """Restore what was known, if the database answers soon; then write in the background.

        `restored` hears of devices that come from a database that answered late.
        """
        self._restored = restored
        self._task = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._tried.wait()
        except TimeoutError:
            log.warning("twin_history_slow", seconds=OPEN_SECONDS)

    async def stop(self) -> None:
        """Write what waits, and end."""
        self._stopping.set()
        _, late = await asyncio.wait({self._task}, timeout=STOP_SECONDS)
        if late:
            log.error("twin_history_not_written", devices=len(self._dirty), changes=len(self._changes))
            self._task.cancel()
        await asyncio.to_thread(self._leadership.give_up)

    def changed(self, device_id: str, at_ms: int) -> None:
        """A device changed just now."""
        self._dirty[device_id] = None
        device = self._table.get(device_id)
        if device is None or not device.known:
            return
        last = self._last.get(device_id)
        if last is None or (last.state, last.online, last.stale) != (device.state, device.online, device.stale):
            self._last[device_id] = device
            self._remember(Change(at_ms, device))

    def removed(self, device_id: str, at_ms: int) -> None:
        """A device was taken out."""
        self._dirty[device_id] = None
        if last := self._last.pop(device_id, None):
            self._remember(Change(at_ms, last.model_copy(update={"online": False}), removed=True))

    def _remember(self, change: Change) -> None:
        self._changes.append(change)
        if len(self._changes) > MAX_WAITING:
            self._changes.popleft()
            TWIN_HISTORY_DROPPED.inc()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            done = await self._attempt("write" if self.writes else "open", self._turn)
            self._tried.set()
            if done and self.writes and time.monotonic() - self._pruned_at >= PRUNE_SECONDS:
                self._pruned_at = time.monotonic()
                await self._attempt("prune", self._prune)
            await self._pause(WRITE_SECONDS if done else AGAIN_SECONDS)
        if self.writes:
            await self._attempt("write", self._write)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _attempt(self, what: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Do one piece of work; whatever fails is logged, counted, and tried again later."""
        try:
            await work()
        except Exception as error:
            TWIN_HISTORY_FAILURES.labels(what).inc()
            trouble = f"the database failed to {what} ({type(error).__name__}); check DATABASE_URL and the disk"
            if trouble != self.trouble:  # once, not with every attempt
                log.error("twin_history_failed", doing=what, exc_info=error)
            self.trouble = trouble
            return False
        self.trouble = ""
        return True

    async def _turn(self) -> None:
        if not await asyncio.to_thread(self._leadership.held):
            await self._follow()
        elif self._leadership.term == self._term:
            await self._write()
        else:
            await self._open()

    async def _follow(self) -> None:
        """Another bridge writes all this down."""
        if not self._followed and not self.writes:
            devices = await asyncio.to_thread(self._store.read, utc_now() - self._keep)
            self._last = {device.id: device for device in devices if device.known} | self._last
            # Numbers of its own: those of the other bridge go on without this one.
            for device_id in self._table.restore(Timeline(), [(device, 0) for device in devices]):
                self._restored(device_id)
            log.info("twin_history_followed", devices=len(devices))
        self._followed, self.writes, self._term = True, False, 0
        self._dirty.clear()
        self._changes.clear()

    async def _open(self) -> None:
        term = self._leadership.term
        known = await asyncio.to_thread(self._store.open, utc_now() - self._keep)
        self._last = {device.id: device for device, _ in known.devices if device.known} | self._last
        for device_id in self._table.restore(known.timeline, known.devices):
            self._restored(device_id)
        if self._followed or self._term:  # what is kept has the numbers of the bridge before
            self._dirty.update((device.id, None) for device in self._table.devices())
            self._written = -1
        self.writes, self._term = True, term
        log.info("twin_history_opened", devices=len(known.devices))

    async def _write(self) -> None:
        timeline = self._table.timeline
        if timeline.seq == self._written:
            return
        dirty, changes = self._dirty, self._changes
        self._dirty, self._changes = {}, deque()
        devices = {device_id: self._current(device_id) for device_id in dirty}
        batch = Batch(timeline.epoch, timeline.seq, timeline.started, timeline.horizon, devices, changes)
        began = time.monotonic()
        try:
            await asyncio.to_thread(self._store.save, batch)
        except Exception:
            self._dirty = {**dirty, **self._dirty}
            newer, self._changes = self._changes, changes
            for change in newer:
                self._remember(change)
            raise
        self._written = batch.seq
        TWIN_STAGE_SECONDS.labels("stored").observe(time.monotonic() - began)

    def _current(self, device_id: str) -> tuple[int, Device | None]:
        device = self._table.get(device_id)
        if device is None:
            return self._table.timeline.tombstones.get(device_id, self._table.seq), None
        return self._table.seq_of(device_id), device

    async def _prune(self) -> None:
        count = await asyncio.to_thread(self._store.prune, round((utc_now() - self._keep).timestamp() * 1000))
        if count:
            log.info("twin_history_pruned", states=count)
