"""The bridge's tables. Only this service reads them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer
from sqlmodel import Field, SQLModel

from shared.db.rows import Row, utc_field
from twin_bridge.protocol import LampState


class BridgeRow(Row, table=True):
    """A bridge by its `TWIN__NAME`: its `Timeline`, without the tombstones."""

    __tablename__ = "bridges"
    __table_args__ = (Index("uq_bridges_name", "name", unique=True),)

    name: str
    epoch: str = ""
    seq: int = Field(default=0, sa_type=BigInteger)
    started: int = Field(default=0, sa_type=BigInteger)
    horizon: int = Field(default=0, sa_type=BigInteger)


class DeviceRow(Row, table=True):
    """A device as it was last; `deleted_at` is its tombstone."""

    __tablename__ = "devices"
    __table_args__ = (Index("uq_devices_bridge", "bridge_id", "device_id", unique=True),)

    bridge_id: UUID = Field(foreign_key="bridges.id")
    device_id: str
    seq: int = Field(sa_type=BigInteger)
    device: str
    """The `Device` of the protocol as JSON."""
    updated_at: datetime = utc_field()
    deleted_at: datetime | None = utc_field(nullable=True)


class StateRow(SQLModel, table=True):
    """A change of a device. The key is a number and the time is one too: rows are many, in order, and averaged over."""

    __tablename__ = "state_history"
    __table_args__ = (
        Index("ix_state_history_device", "device_row_id", "at_ms"),
        Index("ix_state_history_at", "at_ms"),
    )

    id: int | None = Field(
        default=None, primary_key=True, sa_type=BigInteger().with_variant(Integer, "sqlite")
    )  # fmt: skip
    device_row_id: UUID = Field(foreign_key="devices.id")
    at_ms: int = Field(sa_type=BigInteger)
    rev: int
    online: bool
    stale: bool
    removed: bool
    on: bool
    bri: float
    mode: str
    r: int
    g: int
    b: int
    ct: int
    effect: str

    @property
    def state(self) -> LampState:
        return LampState.model_validate(self, from_attributes=True)
