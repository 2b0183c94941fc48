"""The bridge's tables, written. Synchronous: call from a worker thread, one call at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, or_, update
from sqlmodel import Session, col, select

from shared.db.engine import migrate
from shared.db.rows import utc_now
from twin_bridge.history.tables import BridgeRow, DeviceRow, StateRow
from twin_bridge.protocol import Device
from twin_bridge.timeline import MAX_TOMBSTONES, Timeline

FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
PRUNED_AT_ONCE = 2000
"""Rows deleted in one transaction, so that others who write to the database wait for milliseconds only."""


@dataclass(frozen=True)
class Change:
    """A device as it was from `at_ms` on; `removed` if that is not at all."""

    at_ms: int
    device: Device
    removed: bool = False


@dataclass(frozen=True)
class Batch:
    """What happened since the last one. `devices` are those to be kept, with their numbers; None is a tombstone."""

    epoch: str
    seq: int
    started: int
    horizon: int
    devices: Mapping[str, tuple[int, Device | None]]
    changes: Sequence[Change]


@dataclass(frozen=True)
class Known:
    """What was known when the bridge before ended; `devices` with the numbers of their last changes."""

    timeline: Timeline
    devices: Sequence[tuple[Device, int]]


class HistoryStore:
    """The tables of the bridge `name`. Every call is one transaction, or several that each leave things whole."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self._name = name
        self._bridge_id: UUID | None = None
        self._rows: dict[str, UUID] = {}
        """Devices that have a row."""

    def open(self, unchanged_since: datetime = FIRST_MOMENT) -> Known:
        """Bring the tables up to date, read what was known, and begin another run of the bridge.

        Devices without any change `unchanged_since` are taken out: most likely nobody has them any more, and one that
        is still there comes back when it is heard.
        """
        migrate(self.engine)
        with Session(self.engine) as session:
            bridge = session.exec(select(BridgeRow).where(BridgeRow.name == self._name)).one_or_none()
            if bridge is None:
                bridge = BridgeRow(name=self._name)
            rows = session.exec(select(DeviceRow).where(DeviceRow.bridge_id == bridge.id).order_by(col(DeviceRow.seq)))
            known = self._known(bridge, rows.all(), unchanged_since)
            timeline = known.timeline
            bridge.epoch, bridge.horizon = timeline.epoch, timeline.horizon
            bridge.seq, bridge.started = timeline.seq, timeline.started
            session.add(bridge)
            session.commit()  # before anybody is told a number of this run
            self._bridge_id = bridge.id
        return known

    def read(self, unchanged_since: datetime = FIRST_MOMENT) -> list[Device]:
        """What a bridge of this name that is running now has written; nothing is changed."""
        with Session(self.engine) as session:
            rows = session.exec(
                select(DeviceRow)
                .join(BridgeRow, col(BridgeRow.id) == col(DeviceRow.bridge_id))
                .where(
                    BridgeRow.name == self._name,
                    col(DeviceRow.deleted_at).is_(None),
                    DeviceRow.updated_at >= unchanged_since,
                )
            )
            return [Device.model_validate_json(row.device) for row in rows]

    def save(self, batch: Batch) -> None:
        """Write a batch, all of it or nothing."""
        with self.engine.begin() as connection:
            connection.execute(
                update(BridgeRow)
                .where(col(BridgeRow.id) == self._bridge_id)
                .values(epoch=batch.epoch, seq=batch.seq, started=batch.started, horizon=batch.horizon)
            )
            new = self._save_devices(connection, batch)
            rows = self._rows | new
            states = [
                _state_values(rows[change.device.id], change) for change in batch.changes if change.device.id in rows
            ]
            if states:
                connection.execute(insert(StateRow), states)
        self._rows = rows

    def prune(self, before_ms: int) -> int:
        """Forget what is older; returns how many states. What each device was at that time is kept: it is the beginning
        of what came after. Devices that were taken out go with the last of their history."""
        pruned = 0
        while count := self._prune_some(before_ms):
            pruned += count
        with self.engine.begin() as connection:
            removed = select(DeviceRow.id).where(
                DeviceRow.bridge_id == self._bridge_id, col(DeviceRow.deleted_at).is_not(None)
            )
            horizon = select(BridgeRow.horizon).where(BridgeRow.id == self._bridge_id).scalar_subquery()
            history = select(StateRow.id).where(StateRow.device_row_id == DeviceRow.id)
            forgotten = removed.where(DeviceRow.seq <= horizon, ~history.exists())
            connection.execute(delete(DeviceRow).where(col(DeviceRow.id).in_(forgotten)))
            surplus = removed.order_by(col(DeviceRow.deleted_at).desc()).offset(MAX_TOMBSTONES)
            connection.execute(delete(StateRow).where(col(StateRow.device_row_id).in_(surplus)))
            connection.execute(delete(DeviceRow).where(col(DeviceRow.id).in_(surplus)))
        return pruned

    def _known(self, bridge: BridgeRow, rows: Sequence[DeviceRow], unchanged_since: datetime) -> Known:
        self._rows = {row.device_id: row.id for row in rows}
        removed = [row for row in rows if row.deleted_at and bridge.horizon < row.seq <= bridge.seq]
        timeline = Timeline(seq=bridge.seq, tombstones={row.device_id: row.seq for row in removed})
        if bridge.epoch:
            timeline.epoch, timeline.horizon, timeline.started = bridge.epoch, bridge.horizon, bridge.started
            timeline.resume()
        devices = []
        for row in rows:
            if row.deleted_at is not None:
                continue
            if row.updated_at >= unchanged_since:
                devices.append((Device.model_validate_json(row.device), row.seq))
            else:
                timeline.bury(row.device_id)
                row.seq, row.deleted_at = timeline.seq, utc_now()
        return Known(timeline, devices)

    def _save_devices(self, connection: Connection, batch: Batch) -> dict[str, UUID]:
        """Write the devices; returns the rows that are new."""
        now, new = utc_now(), {}
        inserts, updates, tombstones = [], [], []
        for device_id, (seq, device) in batch.devices.items():
            if device is None:
                if device_id in self._rows:
                    tombstones.append({"row": self._rows[device_id], "seq": seq, "deleted_at": now})
                continue
            values = {"seq": seq, "device": device.model_dump_json(), "updated_at": now, "deleted_at": None}
            if device_id in self._rows:
                updates.append({"row": self._rows[device_id], **values})
            else:
                new[device_id] = uuid4()
                key = {"id": new[device_id], "created_at": now, "bridge_id": self._bridge_id, "device_id": device_id}
                inserts.append({**key, **values})
        if inserts:
            connection.execute(insert(DeviceRow), inserts)
        for rows in (updates, tombstones):
            if rows:
                connection.execute(update(DeviceRow).where(col(DeviceRow.id) == bindparam("row")), rows)
        return new

    def _prune_some(self, before_ms: int) -> int:
        ours = select(DeviceRow.id).where(DeviceRow.bridge_id == self._bridge_id)
        newest = (
            select(func.max(StateRow.id))
            .where(StateRow.at_ms < before_ms, col(StateRow.device_row_id).in_(ours))
            .group_by(col(StateRow.device_row_id))
        )
        old = (
            select(StateRow.id)
            .where(
                StateRow.at_ms < before_ms,
                col(StateRow.device_row_id).in_(ours),
                or_(col(StateRow.id).not_in(newest), col(StateRow.removed)),
            )
            .limit(PRUNED_AT_ONCE)
        )
        with self.engine.begin() as connection:
            return connection.execute(delete(StateRow).where(col(StateRow.id).in_(old))).rowcount


def _state_values(row: UUID, change: Change) -> dict[str, object]:
    device, state = change.device, change.device.state
    return {
        "device_row_id": row, "at_ms": change.at_ms, "rev": device.rev, "online": device.online, "stale": device.stale,
        "removed": change.removed, "on": state.on, "bri": state.bri, "mode": state.mode.value, "r": state.r,
        "g": state.g, "b": state.b, "ct": state.ct, "effect": state.effect,
    }  # fmt: skip
