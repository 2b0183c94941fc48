"""What waits for one WebSocket client. Its memory does not grow however slowly the client reads.

Of a device that changed ten times while the client was busy it gets the newest state once, and `skipped` says how many
it did not get. Only answers (acks, errors, pongs) queue up, and a client that lets too many of them lie is let go.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from shared.observability.metrics import TWIN_CONFLATED
from twin_bridge.protocol import Message
from twin_bridge.state import Delta, DeviceTable

MAX_ANSWERS = 256
"""Answers that may wait. A client at the highest command rate earns them in four seconds."""
PART_DEVICES = 32
"""Devices in one part of a snapshot, some 13 KB."""
STATE_DEVICES = 200
"""Devices in one `state` message; more go in the next one at once."""
SEEN_WINDOW = 64
"""`state` messages on the way to a client that confirms with `seen`: two seconds at 30 a second."""


@dataclass(frozen=True)
class Goodbye:
    """Why the server closes: a close code of docs/twin.md."""

    code: int
    reason: str


class ClientSlot:
    """Filled by the hub, emptied by the client's own writer task; all on the event loop."""

    def __init__(self, table: DeviceTable) -> None:
        self._table = table
        self._answers: deque[str] = deque()
        self._delta: Delta | None = None
        self._part = self._part_count = 0
        self._dirty: dict[str, int] = {}  # device -> updates since it was sent last
        self._removed: dict[str, None] = {}
        self._wanted: frozenset[str] | None = None
        self._interval = self._due = 0.0
        self._unseen: deque[int] = deque()
        self._confirms = False
        self._wake = asyncio.Event()
        self.welcomed = False
        self.goodbye: Goodbye | None = None

    def want(self, devices: Iterable[str], max_hz: int) -> None:
        """Which devices (`*` or none for all), and how many `state` messages a second (0: as they come)."""
        wanted = frozenset(devices)
        self._wanted = None if not wanted or "*" in wanted else wanted
        self._interval = 1 / max_hz if max_hz else 0.0

    def start(self, delta: Delta) -> None:
        """Send a snapshot, then every change; what waited before is part of the snapshot."""
        devices = tuple(device_id for device_id in delta.devices if self._sees(device_id))
        removed = tuple(device_id for device_id in delta.removed if self._sees(device_id))
        self._delta = Delta(delta.seq, delta.full, devices, removed)
        self._part, self._part_count = 0, max(1, -(-len(devices) // PART_DEVICES))
        self._dirty.clear()
        self._removed.clear()
        self._unseen.clear()
        self.welcomed = True
        self._wake.set()

    def say(self, message: Message) -> None:
        """Queue an answer."""
        if self.goodbye is not None:
            return
        if len(self._answers) >= MAX_ANSWERS:
            self.close(Goodbye(1013, "too many answers are waiting to be read"))
            return
        self._answers.append(message.model_dump_json())
        self._wake.set()

    def changed(self, device_id: str) -> None:
        if self.welcomed and self._sees(device_id):
            self._dirty[device_id] = self._dirty.get(device_id, 0) + 1
            self._removed.pop(device_id, None)
            self._wake.set()

    def removed(self, device_id: str) -> None:
        if self.welcomed and self._sees(device_id):
            self._dirty.pop(device_id, None)
            self._removed[device_id] = None
            self._wake.set()

    def seen(self, seq: int) -> None:
        """The client has worked off everything up to `seq`; from its first word on it gets no more than it can take."""
        self._confirms = True
        while self._unseen and self._unseen[0] <= seq:
            self._unseen.popleft()
        self._wake.set()

    def close(self, goodbye: Goodbye) -> None:
        """Let the writer end after the answers that wait."""
        if self.goodbye is None:
            self.goodbye = goodbye
        self._wake.set()

    async def next_frame(self) -> str | None:
        """The next text to send, as soon as there is one; None when it is time to close."""
        loop = asyncio.get_running_loop()
        while True:
            frame = self._take(loop.time())
            if frame is not None:
                return frame
            if self.goodbye is not None:
                return None
            self._wake.clear()
            deadline = self._due if self._dirty and self._open() else None
            try:
                async with asyncio.timeout_at(deadline):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _sees(self, device_id: str) -> bool:
        return self._wanted is None or device_id in self._wanted

    def _open(self) -> bool:
        return not self._confirms or len(self._unseen) < SEEN_WINDOW

    def _take(self, now: float) -> str | None:
        if self._answers:
            return self._answers.popleft()
        if self.goodbye is not None:
            return None
        if self._delta is not None:
            return self._snapshot_part(self._delta)
        if self._removed:
            removed = tuple(self._removed)
            self._removed.clear()
            return snapshot_json(self._table, Delta(self._table.seq, full=False, devices=(), removed=removed), 1, 1)
        if self._dirty and self._open() and now >= self._due:
            self._due = now + self._interval
            return self._state()
        return None

    def _snapshot_part(self, delta: Delta) -> str:
        first = self._part * PART_DEVICES
        self._part += 1
        if last := self._part == self._part_count:
            self._delta = None
        # A device may have been removed since; then its removal is waiting too.
        devices = tuple(each for each in delta.devices[first : first + PART_DEVICES] if each in self._table)
        part = Delta(delta.seq, delta.full, devices, delta.removed if last else ())
        return snapshot_json(self._table, part, self._part, self._part_count)

    def _state(self) -> str:
        # Oldest change first, so that everything up to the message's seq has been sent, even if more must follow.
        devices = sorted(self._dirty, key=self._table.seq_of)[:STATE_DEVICES]
        skipped = sum(self._dirty.pop(device_id) - 1 for device_id in devices)
        TWIN_CONFLATED.inc(skipped)
        seq = self._table.seq_of(devices[-1])
        if self._confirms:
            self._unseen.append(seq)
        return state_json(self._table, seq, skipped, devices)


def snapshot_json(table: DeviceTable, delta: Delta, part: int, parts: int) -> str:
    """A `snapshot`, put together from devices that are JSON already; a test holds it against the model."""
    devices = ",".join(map(table.json, delta.devices))
    removed = ",".join(f'"{device_id}"' for device_id in delta.removed)
    full = "true" if delta.full else "false"
    return (
        f'{{"v":1,"t":"snapshot","epoch":"{table.epoch}","seq":{delta.seq},"part":{part},"parts":{parts},'
        f'"full":{full},"devices":[{devices}],"removed":[{removed}]}}'
    )


def state_json(table: DeviceTable, seq: int, skipped: int, device_ids: Iterable[str]) -> str:
    """A `state`, likewise."""
    devices = ",".join(map(table.json, device_ids))
    return f'{{"v":1,"t":"state","seq":{seq},"skipped":{skipped},"devices":[{devices}]}}'
