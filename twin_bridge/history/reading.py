"""The history, read: states of one device, or of all of them in their order. Synchronous: call from worker threads."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Engine, Executable, Select, and_, bindparam, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import TWIN_HISTORY_FAILURES
from twin_bridge.history.tables import BridgeRow, DeviceRow, StateRow
from twin_bridge.protocol import Device

log = get_logger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a state stands in the history: rows of one moment are told apart by their number."""

    at_ms: int
    number: int


@dataclass(frozen=True)
class Past:
    """A state as it was written; the last one of `changes`."""

    device_id: str
    row: StateRow
    changes: int = 1

    @property
    def place(self) -> Place:
        return Place(self.row.at_ms, self.row.id or 0)


class HistoryReader:
    """What the bridge `name` has written. Raises `Unavailable` if the database does not answer."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    def held(self, at_ms: int, device_id: str | None = None) -> list[Past]:
        """What each device was at a moment; those that were not there are left out."""
        earlier = aliased(StateRow)
        newest = (
            select(col(earlier.id))
            .where(col(earlier.device_row_id) == col(DeviceRow.id), col(earlier.at_ms) <= at_ms)
            .order_by(col(earlier.at_ms).desc(), col(earlier.id).desc())
            .limit(1)
            .correlate(DeviceRow)
            .scalar_subquery()
        )
        query = self._states(device_id).where(col(StateRow.id) == newest, ~col(StateRow.removed))
        return [Past(name, row) for row, name in self._read(query)]

    def states(
        self, start_ms: int, end_ms: int, limit: int, *, after: Place | None = None, device_id: str | None = None
    ) -> list[Past]:
        """At most `limit` states from `start_ms` to `end_ms`, oldest first; those `after` a place, to read on."""
        at, number = col(StateRow.at_ms), col(StateRow.id)
        query = self._states(device_id).where(at.between(start_ms, end_ms)).order_by(at, number).limit(limit)
        if after:
            query = query.where(or_(at > after.at_ms, and_(at == after.at_ms, number > after.number)))
        return [Past(name, row) for row, name in self._read(query)]

    def samples(
        self, device_id: str, start_ms: int, end_ms: int, limit: int, *, step_ms: int, after: Place | None = None
    ) -> list[Past]:
        """Of each `step_ms` in which a device changed the last state, and how many there were."""
        # Written into the statement: PostgreSQL takes two parameters for two different expressions to group by.
        step: ColumnElement[int] = col(StateRow.at_ms) // bindparam("step", step_ms, BigInteger, literal_execute=True)
        query = (
            select(func.max(StateRow.id).label("last"), func.count().label("changes"))
            .join(DeviceRow, col(DeviceRow.id) == col(StateRow.device_row_id))
            .join(BridgeRow, col(BridgeRow.id) == col(DeviceRow.bridge_id))
            .where(col(BridgeRow.name) == self._name, col(DeviceRow.device_id) == device_id)
            .where(col(StateRow.at_ms).between(start_ms, end_ms))
            .group_by(step)
            .order_by(step)
            .limit(limit)
        )
        if after and after.at_ms >= start_ms:
            query = query.where(step > after.at_ms // step_ms)
        steps = query.subquery()
        found = select(StateRow, steps.c.changes).join(steps, steps.c.last == StateRow.id).order_by(col(StateRow.id))
        return [Past(device_id, row, changes) for row, changes in self._read(found)]

    def devices(self) -> dict[str, Device]:
        """All devices of which there may be history, as they were last, even those that were taken out."""
        query = (
            select(col(DeviceRow.device_id), col(DeviceRow.device))
            .join(BridgeRow)
            .where(col(BridgeRow.name) == self._name)
        )
        return {name: Device.model_validate_json(text) for name, text in self._read(query)}

    def _states(self, device_id: str | None) -> "Select[StateRow, str]":
        query = (
            select(StateRow, col(DeviceRow.device_id))
            .join(DeviceRow, col(DeviceRow.id) == col(StateRow.device_row_id))
            .join(BridgeRow, col(BridgeRow.id) == col(DeviceRow.bridge_id))
            .where(col(BridgeRow.name) == self._name)
        )
        return query if device_id is None else query.where(col(DeviceRow.device_id) == device_id)

    def _read(self, query: Executable) -> list[Any]:
        try:
            with Session(self._engine) as session:
                return list(session.execute(query).all())
        except (SQLAlchemyError, Unavailable) as error:
            TWIN_HISTORY_FAILURES.labels("read").inc()
            log.error("twin_history_failed", doing="read", exc_info=error)
            raise Unavailable(
                "The database of the history does not answer. Check DATABASE_URL and the disk."
            ) from error
