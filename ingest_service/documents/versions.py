"""The documents table as the pipeline writes it: one version's way from queued to ready."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session, col, or_, select, update

from ingest_service.jobs.ledger import Job, JobCancelled
from ingest_service.tables import DocumentRow
from shared.db.rows import utc_now
from shared.models import DocumentStatus, Labels


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker needs to know of the version it works on."""

    organization_id: UUID
    document_id: UUID
    version: int
    name: str
    title: str
    """Given by a person, or empty."""
    own_title: str
    """What the published version calls itself."""
    labels: Labels
    content_hash: str
    media_type: str


class Versions:
    """Each write holds only while the job's version is the newest and the document is not being deleted."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def begin(self, job: Job) -> Work:
        """queued -> parsing. Raises `JobCancelled` when there is nothing left to do for this job."""
        self.note(job, DocumentStatus.PARSING)
        with Session(self.engine) as session:
            return _work(session.get_one(DocumentRow, job.document_id))

    def labelled(self, job: Job) -> Work:
        """The document as it is called now. Raises `JobCancelled` when it is gone."""
        with Session(self.engine) as session:
            row = session.get_one(DocumentRow, job.document_id)
            if row.status == DocumentStatus.DELETING:
                raise JobCancelled("The document was deleted.")
            return _work(row)

    def note(self, job: Job, status: DocumentStatus, error: str | None = None) -> None:
        """Set the status. Raises `JobCancelled` when a newer version or a deletion overtook the job."""
        self._write(job, status=status, error=error)

    def read(self, job: Job, *, pages: int | None, note: str) -> None:
        """What reading told of these bytes. Raises `JobCancelled` as `note` does."""
        self._write(job, pages=pages, note=note)

    def ready(self, job: Job, work: Work, *, own_title: str, language: str | None, chunks: int) -> str | None:
        """embedding -> ready. Returns the hash of the bytes that were published before, if they were others."""
        with Session(self.engine) as session:
            before = session.get_one(DocumentRow, job.document_id).published_hash
        self._write(
            job,
            status=DocumentStatus.READY,
            error=None,
            own_title=own_title,
            language=language,
            chunks=chunks,
            published_version=work.version,
            published_hash=work.content_hash,
        )
        return before if before != work.content_hash else None

    def published(self) -> list[Work]:
        """What questions see: every published version with its bytes, as the document is called now."""
        with Session(self.engine) as session:
            rows = session.exec(select(DocumentRow).where(*_PUBLISHED).order_by(col(DocumentRow.created_at))).all()
            return [_published(row) for row in rows]

    def published_of(self, document_id: UUID) -> Work | None:
        """The same for one document; None when it has nothing to be seen."""
        with Session(self.engine) as session:
            row = session.exec(select(DocumentRow).where(DocumentRow.id == document_id, *_PUBLISHED)).one_or_none()
            return _published(row) if row else None

    def gone(self) -> list[tuple[UUID, UUID]]:
        """Organization and document of all that were deleted or are being so."""
        deleted = or_(col(DocumentRow.deleted_at).is_not(None), col(DocumentRow.status) == DocumentStatus.DELETING)
        with Session(self.engine) as session:
            return list(session.exec(select(DocumentRow.organization_id, DocumentRow.id).where(deleted)).all())

    def recount(self, chunks: Mapping[UUID, int]) -> None:
        """Note how many chunks published documents have, after they were cut anew."""
        with Session(self.engine) as session:
            for document_id, count in chunks.items():
                session.exec(update(DocumentRow).where(col(DocumentRow.id) == document_id).values(chunks=count))
            session.commit()

    def _write(self, job: Job, **values: object) -> None:
        with Session(self.engine) as session:
            touched = session.exec(
                update(DocumentRow)
                .where(
                    col(DocumentRow.id) == job.document_id,
                    col(DocumentRow.version) == job.version,
                    col(DocumentRow.status) != DocumentStatus.DELETING,
                )
                .values(updated_at=utc_now(), **values)
            ).rowcount
            session.commit()
        if not touched:
            raise JobCancelled("The document was deleted, or a newer version of it arrived.")


_PUBLISHED = (
    col(DocumentRow.published_version).is_not(None),
    col(DocumentRow.deleted_at).is_(None),
    col(DocumentRow.status) != DocumentStatus.DELETING,
)


def _published(row: DocumentRow) -> Work:
    return replace(_work(row), version=row.published_version or 0, content_hash=str(row.published_hash))


def _work(row: DocumentRow) -> Work:
    return Work(
        row.organization_id,
        row.id,
        row.version,
        row.name,
        row.title,
        row.own_title,
        row.labels,
        row.content_hash,
        row.media_type,
    )
