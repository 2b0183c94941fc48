"""What every table row has: a UUID key, an organization, UTC times."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Dialect, TypeDecorator
from sqlmodel import Field, SQLModel

from shared.models import DEFAULT_ORGANIZATION_ID


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes in and out, also on SQLite, which forgets time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime must not reach the database; use utc_now()")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    return datetime.now(UTC)


def utc_field(*, index: bool = False, nullable: bool = False) -> Any:
    """A UTC column: filled with the present moment, or empty if it may be."""
    if nullable:
        return Field(default=None, sa_type=UtcDateTime, nullable=True, index=index)
    return Field(default_factory=utc_now, sa_type=UtcDateTime, nullable=False, index=index)


class Row(SQLModel):
    """Base of our tables. Soft-deleted tables add `deleted_at: datetime | None = utc_field(nullable=True)`."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    created_at: datetime = utc_field()


class OwnedRow(Row):
    """A row that belongs to an organization."""

    organization_id: UUID = Field(default=DEFAULT_ORGANIZATION_ID, foreign_key="organizations.id", index=True)
