"""A document at the door, and what became of it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ingest_service.tables import SourceKind
from shared.models import DocumentStatus


@dataclass(frozen=True)
class Arrival:
    """A document at the door. `key` names the place it comes from, `name` is what people see."""

    organization_id: UUID
    kind: SourceKind
    key: str
    name: str
    title: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    collection: str = ""
    mtime_ns: int = 0
    ctime_ns: int = 0
    etag: str | None = None
    last_modified: str | None = None
    document_id: UUID | None = None
    """Set when only the next version of this document is wanted, and nothing once it is gone."""


@dataclass(frozen=True)
class Admission:
    """What became of an arrival. `job_id` is the unfinished job of the document, if there is one."""

    document_id: UUID
    name: str
    status: DocumentStatus
    job_id: UUID | None
    duplicate: bool
