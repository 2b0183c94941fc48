"""The device table: what every lamp reported last, and in which order things changed.

`seq` counts all changes of this epoch; each device keeps the `seq` of its last one. So a client that was away is
brought up to date by the devices whose number is higher than its own: O(devices), and no log of the past is kept.
Everything here runs on the event loop, and nothing waits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from twin_bridge.lamps.protocol import Limits, Sighting
from twin_bridge.protocol import Cap, Device, LampState
from twin_bridge.reported import caps_after, state_after
from twin_bridge.timeline import Timeline

MAX_DEVICES = 5000


class TableFull(Exception):
    """There are `MAX_DEVICES` devices already."""


@dataclass
class Entry:
    device: Device
    seq: int = 0
    heard: float = 0.0
    """When the lamp itself spoke last, on the clock that callers use."""
    announced: bool | None = None
    """Its availability topic, if it has one."""
    said: bool = False
    """Its state came, live or retained, since there was reason to doubt what was known of it."""
    limits: Limits = field(default_factory=Limits)
    json: str = field(default="", repr=False)
    """The device as it is sent, made once per change for all clients."""
    claimed: bool = True
    """Somebody spoke of it; until then it is only remembered from the run before."""
    before: Device | None = None
    """What clients of the bridge before saw, while nothing has been heard of the device since."""


@dataclass(frozen=True)
class Silence:
    """How long a device has said nothing, and whether an availability topic vouches for it."""

    device: Device
    seconds: float
    announced: bool


@dataclass(frozen=True)
class Delta:
    """What a client needs to be up to date at `seq`."""

    seq: int
    full: bool
    devices: tuple[str, ...]
    removed: tuple[str, ...]


class DeviceTable:
    """Devices by id. With a `timeline` from before, its numbers go on where they were."""

    def __init__(self, timeline: Timeline | None = None) -> None:
        self.timeline = timeline or Timeline()
        self._entries: dict[str, Entry] = {}

    @property
    def epoch(self) -> str:
        return self.timeline.epoch

    @property
    def seq(self) -> int:
        return self.timeline.seq

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, device_id: object) -> bool:
        return device_id in self._entries

    def get(self, device_id: str) -> Device | None:
        entry = self._entries.get(device_id)
        return entry.device if entry else None

    def devices(self) -> list[Device]:
        """All devices by id."""
        return [self._entries[device_id].device for device_id in sorted(self._entries)]

    def limits(self, device_id: str) -> Limits:
        """What the lamp accepts within its capabilities."""
        return self._entries[device_id].limits

    def seq_of(self, device_id: str) -> int:
        return self._entries[device_id].seq

    def json(self, device_id: str) -> str:
        """The device as JSON."""
        entry = self._entries[device_id]
        if not entry.json:
            entry.json = entry.device.model_dump_json()
        return entry.json

    def take(self, seen: Sighting, source: str, *, retained: bool, now: float, epoch_ms: int) -> bool:
        """Take over a report or an availability; says whether anything changed. Raises `TableFull` for a new device.

        A retained message is old news: it makes the state known, but does not show that the lamp is alive. Nor does an
        availability show how it is: it vouches for a state that came, not for one that is remembered.
        """
        entry = self._entries.get(seen.device_id) or self._new(seen.device_id, source)
        device, entry.claimed = entry.device, True
        update: dict[str, object] = {}
        if seen.report is None:
            entry.announced = seen.online
        else:
            state = state_after(device.state, seen.report)
            caps = caps_after(device.caps, seen.report)
            known = device.known or seen.report.of_state
            update = {"state": state, "known": known, "caps": caps, "name": seen.report.name or device.name}
            if state != device.state or known != device.known:
                update["ts"] = epoch_ms
            entry.limits = seen.report.limits or entry.limits
            if not device.pending:
                update["desired"] = state
        update["online"] = entry.announced is not False
        of_state = seen.report is not None and seen.report.of_state
        entry.said |= of_state
        if (of_state and not retained) or (seen.report is None and seen.online and entry.said):
            entry.heard = now
            update["stale"] = False
        elif of_state and entry.announced:
            update["stale"] = False
        elif of_state and not device.known:
            update["stale"] = True
        if seen.report is not None and seen.report.unknown:
            update["stale"], entry.said = True, False
        return self._update(entry, update)

    def set_desired(self, device_id: str, desired: LampState | None) -> bool:
        """Show what commands under way want of a device, or with None that there are none."""
        entry = self._entries[device_id]
        wanted = entry.device.state if desired is None else desired
        return self._update(entry, {"pending": desired is not None, "desired": wanted})

    def mark_stale(self, device_id: str) -> bool:
        """Its state may be old; nothing but a state mends that."""
        entry = self._entries.get(device_id)
        if entry is None:
            return False
        entry.said = False
        return self._update(entry, {"stale": True})

    def unclaimed(self) -> list[Device]:
        """Devices that are restored and that nobody spoke of yet."""
        return [entry.device for entry in self._entries.values() if not entry.claimed]

    def miss(self, device_id: str) -> bool:
        """Show a restored device as offline, until somebody speaks of it."""
        return self._update(self._entries[device_id], {"online": False})

    def silences(self, now: float) -> list[Silence]:
        """How long each device has been silent at `now`, on the clock of `take`."""
        return [
            Silence(entry.device, now - entry.heard, entry.announced is not None) for entry in self._entries.values()
        ]

    def remove(self, device_id: str) -> bool:
        """Take a device out, leaving a tombstone for clients that resume; says whether there was one."""
        if self._entries.pop(device_id, None) is None:
            return False
        self.timeline.bury(device_id)
        return True

    def restore(self, timeline: Timeline, devices: Iterable[tuple[Device, int]]) -> list[str]:
        """Take over what the bridge before knew, with the numbers of the last changes: stale until it is heard again.

        A device that is then heard just as it was needs no new number, so clients that resume are told of those alone
        that changed; `settle` ends the waiting. If there is something here already, that is newer, and what is restored
        counts as changed: those devices are returned.
        """
        first = not self._entries and not self.seq
        if first:
            self.timeline = timeline
        changed = []
        for device, seq in devices:
            if device.id in self._entries or device.id in self.timeline.tombstones or len(self) >= MAX_DEVICES:
                continue
            last = device.model_copy(update={"stale": True, "pending": False, "desired": device.state})
            entry = self._entries[device.id] = Entry(last, seq, claimed=False)
            entry.announced = None if device.online else False
            if not first or device.pending:
                self._renew(entry, {})
                changed.append(device.id)
            elif not device.stale:
                entry.before = device
        return changed

    def put(self, device: Device) -> None:
        """Show a device as it was once, which a replay does."""
        entry = self._entries.get(device.id) or self._new(device.id, device.src)
        entry.seq, entry.device, entry.json = self.timeline.advance(), device, ""

    def settle(self) -> list[str]:
        """From now on, restored devices that were not heard are stale for those clients too who saw them before.

        Returns the devices that count as changed by it.
        """
        unheard = [entry for entry in self._entries.values() if entry.before]
        for entry in unheard:
            self._renew(entry, {})
        return [entry.device.id for entry in unheard]

    def since(self, epoch: str, seq: int) -> Delta:
        """What changed after `seq` of that epoch; everything, if that cannot be known."""
        if not self.timeline.reaches(epoch, seq):
            return Delta(self.seq, full=True, devices=tuple(sorted(self._entries)), removed=())
        changed = sorted(device_id for device_id, entry in self._entries.items() if entry.seq > seq)
        return Delta(self.seq, full=False, devices=tuple(changed), removed=self.timeline.removed_since(seq))

    def _new(self, device_id: str, source: str) -> Entry:
        if len(self._entries) >= MAX_DEVICES:
            raise TableFull
        self.timeline.revive(device_id)
        blank = LampState()
        device = Device(
            id=device_id, name=device_id, src=source, online=True, stale=False, known=False, rev=0, ts=0,
            caps=[Cap.ON], state=blank, pending=False, desired=blank,
        )  # fmt: skip
        entry = self._entries[device_id] = Entry(device)
        return entry

    def _update(self, entry: Entry, update: dict[str, object]) -> bool:
        device = entry.device
        if entry.seq and all(getattr(device, name) == value for name, value in update.items()):
            return False
        if entry.before and not entry.json and all(getattr(entry.before, key) == update[key] for key in update):
            entry.device, entry.before = entry.before, None  # heard as it was, and no client saw it stale
            return False
        self._renew(entry, update)
        return True

    def _renew(self, entry: Entry, update: Mapping[str, object]) -> None:
        entry.seq = self.timeline.advance()
        entry.device = entry.device.model_copy(update={**update, "rev": entry.device.rev + 1})
        entry.json, entry.before = "", None
