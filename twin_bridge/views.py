"""What several clients want alike is put together and framed once: they share a view."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from shared.observability.metrics import TWIN_STAGE_SECONDS
from twin_bridge.frames import removed_frame, state_frame
from twin_bridge.outlet import Frame
from twin_bridge.state import DeviceTable

_WRITTEN = TWIN_STAGE_SECONDS.labels("written")
STATE_DEVICES = 200
"""Devices in one `state` message; more go in the next one at once."""
RUN = 4.0
"""Ticks that begin within so many times the length of the last one belong to a run of changes."""
GATHER = 0.5
"""In a run a tick waits for as many changes as the last one told, but no longer than this share of its length: what
comes late costs each client another send, which is dear (some 10 us), and a broker hands states on one by one."""


@dataclass(frozen=True)
class Update:
    """One `state` message: everything up to `seq` has been told with it; `skipped` updates it made superfluous."""

    frame: Frame
    seq: int
    skipped: int


def take_update(table: DeviceTable, waiting: dict[str, int]) -> Update:
    """The next `state` message of what waits (device -> updates since it was told), which then waits no more."""
    # Oldest change first, so that everything up to the message's seq has been told, even if more must follow.
    devices = sorted(waiting, key=table.seq_of)[:STATE_DEVICES]
    skipped = sum(waiting.pop(device_id) - 1 for device_id in devices)
    seq = table.seq_of(devices[-1])
    return Update(state_frame(table, seq, skipped, devices), seq, skipped)


class Batch:
    """What changed for a view since its last tick. Read in the same turn of the loop in which it was made."""

    def __init__(
        self, table: DeviceTable, counts: dict[str, int], removed: tuple[str, ...], at: float, due: float
    ) -> None:
        self.counts, self.removed, self.at, self.due = counts, removed, at, due
        """Device -> how often it changed; devices that are gone; this tick and the next, on the loop's clock."""
        self._table = table

    @cached_property
    def updates(self) -> list[Update]:
        """The `state` messages, for all who have nothing else to send."""
        waiting = dict(self.counts)
        updates = []
        while waiting:
            updates.append(take_update(self._table, waiting))
        return updates

    @cached_property
    def farewell(self) -> Frame | None:
        """The message about removed devices, to be sent before the updates."""
        return removed_frame(self._table, self.removed, self.counts) if self.removed else None


class Watcher(Protocol):
    """A client of a view."""

    def offer(self, batch: Batch) -> None: ...
    def say_frame(self, frame: Frame) -> None: ...


class View:
    """Clients that want the same devices, equally often.

    They are told once in a tick, which is a turn of the event loop, or 1 / `max_hz` seconds. Where changes come in
    runs, a tick gathers a few turns' worth; one change alone never waits.
    """

    def __init__(self, table: DeviceTable, wanted: frozenset[str] | None, max_hz: int) -> None:
        self.interval = 1 / max_hz if max_hz else 0.0
        self.clients: set[Watcher] = set()
        self.counts: dict[str, int] = {}
        """Device -> how often it changed since the last tick."""
        self._table, self._wanted = table, wanted
        self._removed: dict[str, None] = {}
        self._due = 0.0
        self._first_at = 0.0
        self._told = 0  # changes in the last tick, when it ended, how long it took, and until when the next one gathers
        self._ended = self._took = self._until = 0.0
        self._tick: asyncio.Handle | None = None

    @property
    def pending(self) -> bool:
        """Whether something happened that no client has been told."""
        return bool(self.counts or self._removed)

    def sees(self, device_id: str) -> bool:
        return self._wanted is None or device_id in self._wanted

    def among(self, device_ids: Iterable[str]) -> tuple[str, ...]:
        """Those of them that this view shows."""
        return tuple(filter(self.sees, device_ids))

    def changed(self, device_id: str) -> None:
        if self.sees(device_id):
            if not self.counts:
                self._first_at = time.monotonic()
            self.counts[device_id] = self.counts.get(device_id, 0) + 1
            self._removed.pop(device_id, None)
            self._schedule()

    def removed(self, device_id: str) -> None:
        if self.sees(device_id):
            self.counts.pop(device_id, None)
            self._removed[device_id] = None
            self._schedule()

    def close(self) -> None:
        """The last client left."""
        if self._tick:
            self._tick.cancel()

    def _schedule(self) -> None:
        if self._tick is None:
            loop = asyncio.get_running_loop()
            if loop.time() < self._due:
                self._tick = loop.call_at(self._due, self._tell)
                return
            now = time.monotonic()
            in_run = self._told > 1 and now - self._ended < RUN * self._took
            self._until = now + GATHER * self._took if in_run else now
            self._tick = loop.call_soon(self._gather)

    def _gather(self) -> None:
        if time.monotonic() < self._until and sum(self.counts.values()) < self._told:
            # A turn of the loop, not a timer: those are no finer than a millisecond, which is a whole tick.
            self._tick = asyncio.get_running_loop().call_soon(self._gather)
        else:
            self._tell()

    def _tell(self) -> None:
        self._tick = None
        began = time.monotonic()
        now = asyncio.get_running_loop().time()
        self._due = now + self.interval
        counts, self.counts = self.counts, {}
        removed, self._removed = tuple(self._removed), {}
        batch = Batch(self._table, counts, removed, now, self._due)
        for client in self.clients:
            client.offer(batch)
        self._told, self._ended = sum(counts.values()), time.monotonic()
        self._took = self._ended - began
        if counts and not self.interval:  # with one, clients wait because they want to
            _WRITTEN.observe(self._ended - self._first_at)
