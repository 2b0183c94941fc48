"""What a sync client has, compared with what arrived from it: what to send, what to remove, what not to send again.

It only compares. A file that is queued or being read counts as present, and bytes that can never be read count as
unchanged with the reason beside them, so that no client sends them in every round.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from ingest_service.documents.refusals import UNANSWERING, Refusals
from ingest_service.names import clean_path
from ingest_service.parsing import errors
from ingest_service.tables import DocumentRow, SourceKind, SourceRow, place_of
from shared.errors import Unprocessable
from shared.models import DocumentStatus, Frozen

MAX_ITEMS = 50_000


class ManifestItem(BaseModel):
    """A file as its owner sees it; `path` is the file name it is sent under, with its folders."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, max_length=4096)
    sha256: str = Field(pattern=r"^[0-9a-fA-F]{64}$")
    size: int = Field(ge=0, description="In bytes.")


class Manifest(BaseModel):
    """All files of a sync client. With `prefix` only what lies below that folder is the client's to speak of."""

    model_config = ConfigDict(extra="forbid")

    prefix: str = Field("", max_length=4096)
    items: Annotated[list[ManifestItem], Field(max_length=MAX_ITEMS)]


class Entry(Frozen):
    """A path in the client's spelling (`deleted`: in ours), and the document that it is."""

    path: str
    document_id: UUID | None = None


class Failure(Entry):
    """Bytes that give no answers, and why."""

    reason: str


class Difference(Frozen):
    """`deleted` is what came from below the prefix and is no longer listed: remove it with
    `DELETE /documents/{id}?source=PATH`. What is in `failed` is in `unchanged` too."""

    added: list[Entry]
    modified: list[Entry]
    deleted: list[Entry]
    unchanged: list[Entry]
    failed: list[Failure]


@dataclass(frozen=True, slots=True)
class _Known:
    document_id: UUID
    content_hash: str
    reason: str | None
    """Why the document gives no answers, if it does not."""


class Manifests:
    """Compares manifests. Synchronous and thread-safe; reads only."""

    def __init__(self, engine: Engine, refusals: Refusals, *, max_file_mb: int) -> None:
        self.engine = engine
        self.refusals = refusals
        self.max_file_mb = max_file_mb

    def compare(self, organization_id: UUID, manifest: Manifest) -> Difference:
        """What sending `manifest.items` would change. Raises `Unprocessable` for a path that is listed twice or lies
        outside the prefix."""
        prefix = _place(manifest.prefix) if manifest.prefix.strip("/\\ ") else ""
        listed = _by_path(manifest.items, prefix)
        documents = self._known(organization_id)
        sent = self._sent(organization_id, documents, prefix)
        hopeless = dict(self.refusals.reasons(organization_id))
        hopeless.update({known.content_hash: known.reason for known in documents.values() if known.reason})
        found = Difference(added=[], modified=[], deleted=[], unchanged=[], failed=[])
        for place, item in listed.items():
            _, there = sent.get(place, ("", None))
            entry = Entry(path=item.path, document_id=there.document_id if there else None)
            content_hash = item.sha256.lower()
            same = there is not None and there.content_hash == content_hash
            reason = there.reason if there and same else hopeless.get(content_hash) or self._unsendable(item)
            if reason:
                found.failed.append(Failure(**entry.model_dump(), reason=reason))
            if same or reason:
                found.unchanged.append(entry)
            elif there:
                found.modified.append(entry)
            else:
                found.added.append(entry)
        found.deleted.extend(
            Entry(path=path, document_id=there.document_id)
            for place, (path, there) in sent.items()
            if place not in listed
        )
        return found

    def _known(self, organization_id: UUID) -> Mapping[UUID, _Known]:
        query = select(DocumentRow.id, DocumentRow.content_hash, DocumentRow.status, DocumentRow.error).where(
            DocumentRow.organization_id == organization_id,
            col(DocumentRow.deleted_at).is_(None),
            DocumentRow.status != DocumentStatus.DELETING,
        )
        with Session(self.engine) as session:
            return {
                document_id: _Known(document_id, content_hash, (error or status) if status in UNANSWERING else None)
                for document_id, content_hash, status, error in session.exec(query)
            }

    def _sent(
        self, organization_id: UUID, documents: Mapping[UUID, _Known], prefix: str
    ) -> Mapping[str, tuple[str, _Known]]:
        """By place: the path as it was sent, and the document."""
        query = (
            select(SourceRow.place, SourceRow.key, SourceRow.document_id)
            .where(SourceRow.organization_id == organization_id, SourceRow.kind == SourceKind.UPLOAD)
            .order_by(col(SourceRow.key))
        )
        with Session(self.engine) as session:
            return {
                place: (key, documents[document_id])
                for place, key, document_id in session.exec(query)
                if document_id is not None and document_id in documents and _below(prefix, place)
            }

    def _unsendable(self, item: ManifestItem) -> str | None:
        if item.size == 0:
            return errors.without_bytes().detail
        if item.size > self.max_file_mb * 1024 * 1024:
            return f"{item.path} is larger than the limit of {self.max_file_mb} MiB (INGEST__MAX_FILE_MB)."
        return None


def _by_path(items: Iterable[ManifestItem], prefix: str) -> Mapping[str, ManifestItem]:
    listed: dict[str, ManifestItem] = {}
    for item in items:
        place = _place(item.path)
        if not _below(prefix, place):
            raise Unprocessable(f"{item.path} does not lie below the prefix {prefix}.", code="outside_prefix")
        if place in listed:
            raise Unprocessable(
                f"{item.path} is listed twice: it is the same path here as {listed[place].path}.", code="duplicate_path"
            )
        listed[place] = item
    return listed


def _place(path: str) -> str:
    return place_of(SourceKind.UPLOAD, clean_path(path))


def _below(prefix: str, place: str) -> bool:
    return not prefix or place.startswith(prefix + "/")
