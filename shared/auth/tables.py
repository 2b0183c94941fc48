"""Organizations and their API keys. Only this package reads these tables; `shared.db.corpus` asks which organizations
there are."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import Field, SQLModel

from shared.db.rows import OwnedRow, utc_field


class Organization(SQLModel, table=True):
    __tablename__ = "organizations"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str
    created_at: datetime = utc_field()


class ApiKey(OwnedRow, table=True):
    """A key, known only by its hash: what was printed at creation cannot be shown again."""

    __tablename__ = "api_keys"

    name: str
    key_id: str = Field(index=True, unique=True)
    secret_hash: str
    scopes: str = Field(description="Space-separated.")
    deleted_at: datetime | None = utc_field(nullable=True)
