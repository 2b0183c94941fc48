"""The past once more, for one client: the same messages as live, from a device table of its own.

The table begins empty in an epoch of its own, gets what held at the beginning, and then each change when its time has
come. All that makes live clients equal goes for a replay too: slow ones get the newest, and `max_hz` holds.
"""

import asyncio
import math
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import TWIN_HISTORY_FAILURES
from twin_bridge.client_messages import Cmd, Refused
from twin_bridge.client_slot import ClientSlot, Goodbye
from twin_bridge.command_lane import Reply
from twin_bridge.history.reading import HistoryReader, Past, Place
from twin_bridge.hub import Hub
from twin_bridge.protocol import Device, ErrorCode
from twin_bridge.state import DeviceTable
from twin_bridge.timeline import Timeline

log = get_logger(__name__)

MAX_REPLAYS = 16
"""Replays at once; each reads the database all the time."""
SLOWEST, FASTEST = 0.1, 1000.0
PAGE = 200
"""States read at once, and shown without a pause if all are due: some milliseconds."""
IDLE_CHECK_SECONDS = 0.05
_HOW = "replay is FROM,TO,SPEED: epoch milliseconds from and to (0: now), and how many times as fast as life"


@dataclass(frozen=True)
class Span:
    """From when to when (epoch ms), and how many times as fast as life."""

    start_ms: int
    end_ms: int
    speed: float

    def due(self, at_ms: int) -> float:
        """When that moment comes, in seconds since the replay began."""
        return (at_ms - self.start_ms) / 1000 / self.speed


def read_span(text: str, now_ms: int) -> Span:
    """The value of `?replay=`. Raises `Refused`, with words for the client."""
    parts = text.split(",")
    if len(parts) not in {2, 3}:
        raise Refused(ErrorCode.BAD_FIELD, _HOW, fatal=True)
    try:
        start, end = (int(part) for part in parts[:2])
        speed = float(parts[2]) if len(parts) == 3 else 1.0
    except ValueError:
        raise Refused(ErrorCode.BAD_FIELD, _HOW, fatal=True) from None
    end = min(end or now_ms, now_ms)
    if not 0 <= start < end:
        raise Refused(ErrorCode.BAD_FIELD, "replay must begin in the past, and before it ends", fatal=True)
    if not math.isfinite(speed) or not SLOWEST <= speed <= FASTEST:
        raise Refused(ErrorCode.BAD_FIELD, f"the speed of a replay is {SLOWEST:g}..{FASTEST:g}", fatal=True)
    return Span(start, end, speed)


class Replay:
    """One stretch of the past, for one client."""

    replay = True

    def __init__(self, span: Span, reader: HistoryReader, *, broker: bool) -> None:
        self.table = DeviceTable(Timeline(epoch=f"replay-{secrets.token_hex(4)}"))
        self.hub = Hub(self.table, max_clients=1)
        self.broker = broker
        self._span, self._reader = span, reader
        self._devices: dict[str, Device] = {}

    def command(self, sender: str, cmd: Cmd, reply: Reply) -> None:
        """The past cannot be changed: raises `Refused`."""
        detail = "This connection is a replay of the past; lamps are switched on a connection without it."
        raise Refused(ErrorCode.FORBIDDEN, detail, cid=cmd.cid)

    async def play(self) -> None:
        """Show everything at its time; returns when the last moment has come. Raises `Unavailable`."""
        span, read = self._span, self._reader
        self._devices = await asyncio.to_thread(read.devices)
        for past in await asyncio.to_thread(read.held, span.start_ms):
            self._show(past)
        began = asyncio.get_running_loop().time()
        after: Place | None = None
        while page := await asyncio.to_thread(read.states, span.start_ms + 1, span.end_ms, PAGE, after=after):
            for past in page:
                await _until(began + span.due(past.place.at_ms))
                self._show(past)
            after = page[-1].place
        await _until(began + span.due(span.end_ms))

    def _show(self, past: Past) -> None:
        row, device = past.row, self._devices.get(past.device_id)
        if device is None:
            return  # it came after the replay had begun
        if row.removed:
            if self.table.remove(device.id):
                self.hub.removed(device.id)
            return
        was = {"rev": row.rev, "ts": row.at_ms, "online": row.online, "stale": row.stale, "known": True}
        state = row.state
        self.table.put(device.model_copy(update={**was, "state": state, "pending": False, "desired": state}))
        self.hub.changed(device.id)


class Replays:
    """All replays of a bridge."""

    def __init__(self, reader: HistoryReader) -> None:
        self._reader = reader
        self._playing = 0

    def prepare(self, asked: str, *, now_ms: int, broker: bool) -> Replay:
        """A replay as `?replay=` asks for. Nothing is read before it plays. Raises `Refused`."""
        return Replay(read_span(asked, now_ms), self._reader, broker=broker)

    @asynccontextmanager
    async def performed(self, replay: Replay, slot: ClientSlot, welcomed: asyncio.Event) -> AsyncIterator[None]:
        """Play beside the conversation with the client, from its welcome on; then the slot is closed."""
        task = asyncio.create_task(self._perform(replay, slot, welcomed))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _perform(self, replay: Replay, slot: ClientSlot, welcomed: asyncio.Event) -> None:
        await welcomed.wait()
        if self._playing >= MAX_REPLAYS:
            slot.close(Goodbye(1013, f"there are {MAX_REPLAYS} replays already"))
            return
        self._playing += 1
        try:
            await replay.play()
            while not slot.idle:  # noqa: ASYNC110 - once in a replay, and live clients need no such event
                await asyncio.sleep(IDLE_CHECK_SECONDS)
            slot.close(Goodbye(1000, "the replay is over"))
        except Unavailable as error:
            TWIN_HISTORY_FAILURES.labels("replay").inc()
            slot.close(Goodbye(1013, error.detail))
        except Exception as error:
            TWIN_HISTORY_FAILURES.labels("replay").inc()
            log.error("replay_failed", exc_info=error)
            slot.close(Goodbye(1011, "an error of the bridge"))
        finally:
            self._playing -= 1


async def _until(moment: float) -> None:
    if (delay := moment - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(delay)
