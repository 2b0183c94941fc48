"""What waits for one WebSocket client. Its memory does not grow however slowly the client reads.

A client that keeps up gets the frames of its view, as all others do. What a client cannot take at once is kept here:
of a device that changed ten times meanwhile it gets the newest state once, and `skipped` says how many it did not get.
Only answers (acks, errors, pongs) queue up, and a client that lets too many of them lie is let go.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from shared.observability.metrics import TWIN_CONFLATED, TWIN_STAGE_SECONDS
from twin_bridge.frames import removed_frame, snapshot_frame
from twin_bridge.outlet import Frame, Outlet
from twin_bridge.protocol import Message
from twin_bridge.state import Delta, DeviceTable
from twin_bridge.views import Batch, Update, View, take_update

_SEEN = TWIN_STAGE_SECONDS.labels("seen")
MAX_ANSWERS = 256
"""Answers that may wait. A client at the highest command rate earns them in four seconds."""
PART_DEVICES = 32
"""Devices in one part of a snapshot, some 13 KB."""
SEEN_WINDOW = 64
"""`state` messages on the way to a client that confirms with `seen`: two seconds at 30 a second."""
STUCK_SECONDS = 30.0
"""A client that takes nothing for so long while something waits is gone, whatever TCP says."""


@dataclass(frozen=True)
class Goodbye:
    """Why the server closes: a close code of docs/twin.md."""

    code: int
    reason: str


class ClientSlot:
    """Between a view and an outlet; all on the event loop.

    `call_again` is given this slot when something waits that can be sent later without another event.
    """

    def __init__(self, table: DeviceTable, outlet: Outlet, call_again: "Callable[[ClientSlot], None]") -> None:
        self.outlet = outlet
        self.view: View | None = None
        """None until the client is welcomed."""
        self.goodbye: Goodbye | None = None
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when there is a goodbye, and every answer before it has been written."""
        outlet.on_room = self.pump
        self._table, self._call_again = table, call_again
        self._answers: deque[Frame] = deque()
        self._delta: Delta | None = None
        self._part = self._part_count = 0
        self._since = 0
        self._before: dict[str, int] = {}  # what the view had waiting when this client came; its snapshot holds it
        self._dirty: dict[str, int] = {}  # device -> updates since it was sent last
        self._removed: dict[str, None] = {}
        self._due = 0.0
        self._unseen: deque[tuple[int, float]] = deque()  # seq, and when it was sent
        self._confirms = False
        self._stuck: float | None = None
        self._left = False

    def start(self, view: View, delta: Delta) -> None:
        """Send a snapshot, then every change in the view; what waited before is part of the snapshot."""
        self.view = view
        self._delta = Delta(delta.seq, delta.full, view.among(delta.devices), view.among(delta.removed))
        self._part, self._part_count = 0, max(1, -(-len(self._delta.devices) // PART_DEVICES))
        self._since, self._before = delta.seq, dict(view.counts)
        self._dirty.clear()
        self._removed.clear()
        self._unseen.clear()
        self.pump()

    def say(self, message: Message) -> None:
        """Queue an answer."""
        self.say_frame(Frame(message.model_dump_json()))

    def say_frame(self, frame: Frame) -> None:
        """Queue an answer that others get too."""
        if self.goodbye is not None or self._left:
            return
        if len(self._answers) >= MAX_ANSWERS:
            self._give_up("too many answers are waiting to be read")
            return
        self._answers.append(frame)
        self.pump()

    def offer(self, batch: Batch) -> None:
        """A tick of the view: sent as it is if nothing else waits and the client has room, otherwise kept."""
        outlet = self.outlet
        if batch.at < self._due or self._waits or self._before or not self._open or not outlet.has_room:
            self._keep(batch)
            self.pump()
            return
        if batch.farewell:
            outlet.write(batch.farewell)
        for update in batch.updates:
            outlet.write(update.frame)
            self._sent(update, batch.due)

    def seen(self, seq: int) -> None:
        """The client has worked off everything up to `seq`; from its first word on it gets no more than it can take."""
        self._confirms = True
        sent_at = 0.0
        while self._unseen and self._unseen[0][0] <= seq:
            _, sent_at = self._unseen.popleft()
        if sent_at:  # of the newest alone: older ones waited for the client to say something
            _SEEN.observe(time.monotonic() - sent_at)
        self.pump()

    def close(self, goodbye: Goodbye) -> None:
        """End after the answers that wait; nothing is taken any more."""
        if self.goodbye is None:
            self.goodbye = goodbye
            self._delta = None
            self._dirty.clear()
            self._removed.clear()
        self.pump()

    def leave(self) -> None:
        """The connection is over; whoever still has something to say to it is not heard."""
        self._left = True

    def pump(self) -> None:
        """Send what waits, as far as the client takes it. Safe to call at any time."""
        if self._left:
            return
        now = asyncio.get_running_loop().time()
        while room := self.outlet.has_room:
            self._stuck = None
            frame = self._next(now)
            if frame is None:
                break
            self.outlet.write(frame)
        if not room and self._waits:
            self._stuck = self._stuck or now
            if self.goodbye is None and now - self._stuck > STUCK_SECONDS:
                self._give_up(f"nothing was read for {STUCK_SECONDS:g} s")
            else:
                self._call_again(self)
        elif self._dirty and now < self._due:
            self._call_again(self)
        if self.goodbye is not None and not self._answers and not self.over.done():
            self.over.set_result(None)

    @property
    def idle(self) -> bool:
        """The client has been sent all there is."""
        return not self._waits and not (self.view and self.view.pending)

    @property
    def _waits(self) -> bool:
        return bool(self._answers or self._delta or self._dirty or self._removed or self.goodbye)

    @property
    def _open(self) -> bool:
        return not self._confirms or len(self._unseen) < SEEN_WINDOW

    def _keep(self, batch: Batch) -> None:
        if self.goodbye is not None:
            return
        before, self._before = self._before, {}
        for device_id, count in batch.counts.items():
            if before and self._table.seq_of(device_id) <= self._since:
                continue
            # At least once: it may have been taken out and come back since this client came.
            news = max(1, count - before.get(device_id, 0))
            self._dirty[device_id] = self._dirty.get(device_id, 0) + news
            self._removed.pop(device_id, None)
        for device_id in batch.removed:
            self._dirty.pop(device_id, None)
            self._removed[device_id] = None

    def _next(self, now: float) -> Frame | None:
        if self._answers:
            return self._answers.popleft()
        if self._delta is not None:
            return self._snapshot_part(self._delta)
        return self._news(now)

    def _news(self, now: float) -> Frame | None:
        # While the view holds news, what waits here is not everything up to its own seq; the tick brings the rest.
        if self.view is None or self.view.pending:
            return None
        if self._removed:
            removed, self._removed = tuple(self._removed), {}
            return removed_frame(self._table, removed, self._dirty)
        if not self._dirty or not self._open or now < self._due:
            return None
        update = take_update(self._table, self._dirty)
        self._sent(update, now + self.view.interval)
        return update.frame

    def _sent(self, update: Update, due: float) -> None:
        self._due = due
        if update.skipped:
            TWIN_CONFLATED.inc(update.skipped)
        if self._confirms:
            self._unseen.append((update.seq, time.monotonic()))

    def _snapshot_part(self, delta: Delta) -> Frame:
        first = self._part * PART_DEVICES
        self._part += 1
        if last := self._part == self._part_count:
            self._delta = None
        # A device may have been removed since; then its removal is waiting too.
        devices = tuple(each for each in delta.devices[first : first + PART_DEVICES] if each in self._table)
        part = Delta(delta.seq, delta.full, devices, delta.removed if last else ())
        return snapshot_frame(self._table, part, self._part, self._part_count)

    def _give_up(self, reason: str) -> None:
        """Of a client that does not read: what waits for it would never be read either."""
        self._answers.clear()
        self.close(Goodbye(1013, reason))
