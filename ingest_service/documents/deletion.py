"""Documents out: marked first, unfindable at once, purged after, counted at the end.

Each step is safe to repeat, so a deletion that a crash interrupted is finished by the same job after the restart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session, and_, col, or_, select

from ingest_service.documents.intake import Intake
from ingest_service.documents.lifecycle import count_sources, drop_source, live_document, tombstone
from ingest_service.jobs.ledger import Job
from ingest_service.names import clean_path
from ingest_service.tables import DocumentRow, JobRow, SourceKind, SourceRow, place_of
from shared.db.corpus import corpus_changed
from shared.db.rows import utc_now
from shared.errors import NotFound, Unavailable
from shared.models import DocumentStatus
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE
from shared.vector_store.protocol import VectorStore

log = get_logger(__name__)


@dataclass(frozen=True)
class Deletion:
    """A document on its way out; `files_left` are its files that still lie in the watched folder."""

    document_id: UUID
    job_id: UUID
    files_left: tuple[str, ...]


@dataclass(frozen=True)
class SourceRemoval:
    """A source that was forgotten; `job_id` purges the document if it was the last one, `left` counts the others."""

    document_id: UUID
    status: DocumentStatus
    job_id: UUID | None
    left: int


class Remover:
    """Takes documents away. Synchronous and thread-safe."""

    def __init__(self, engine: Engine, store: VectorStore, intake: Intake, wake: Callable[[], None]) -> None:
        self.engine = engine
        self.store = store
        self.intake = intake
        self.wake = wake

    def delete(self, organization_id: UUID, document_id: UUID) -> Deletion:
        """Delete a document whatever its sources. When it returns, no question finds it any more (if the store does
        not answer, the job sees to that as soon as it does). Raises `NotFound`."""
        blobs = self.intake.blobs
        with blobs.publishing.of(document_id), blobs.changing, Session(self.engine) as session:
            document = live_document(session, organization_id, document_id)
            if document is None:
                raise NotFound("There is no document with this id. GET /documents lists them.")
            files = session.exec(
                select(SourceRow.key).where(SourceRow.document_id == document_id, SourceRow.kind == SourceKind.FOLDER)
            ).all()
            job_id = tombstone(session, document).id
            session.commit()
        self._hide(organization_id, document_id)
        self.wake()
        return Deletion(document_id, job_id, tuple(files))

    def forget_sources(self, source_ids: Sequence[UUID]) -> list[UUID]:
        """Forget places that no longer hold anything; documents that lose their last one are deleted and returned."""
        gone: list[JobRow] = []
        blobs, documents = self.intake.blobs, lambda: self._documents_of(source_ids)
        with blobs.changing_documents(documents), Session(self.engine, expire_on_commit=False) as session:
            for source in session.exec(select(SourceRow).where(col(SourceRow.id).in_(source_ids))).all():
                purge = drop_source(session, source)
                if purge is not None:
                    gone.append(purge)
            session.commit()
        for job in gone:
            self._hide(job.organization_id, job.document_id)
        self.wake()
        return [job.document_id for job in gone]

    def forget_source(self, organization_id: UUID, document_id: UUID, key: str) -> SourceRemoval:
        """Forget one place that vouches for a document; the document goes with its last one.

        Files of the watched folder cannot be forgotten here: the next scan would find them again. Raises `NotFound`.
        """
        places = [place_of(SourceKind.UPLOAD, path) for path in (key, clean_path(key))]
        blobs = self.intake.blobs
        with (
            blobs.publishing.of(document_id),
            blobs.changing,
            Session(self.engine, expire_on_commit=False) as session,
        ):
            source = session.exec(
                select(SourceRow).where(
                    SourceRow.document_id == document_id,
                    SourceRow.organization_id == organization_id,
                    SourceRow.kind != SourceKind.FOLDER,
                    or_(
                        SourceRow.key == key,
                        and_(
                            col(SourceRow.kind) != SourceKind.WEB,
                            col(SourceRow.place).in_(places),
                        ),
                    ),
                )
            ).first()
            if source is None:
                raise NotFound(
                    f"No document with this id was sent as {key}. GET /documents/{document_id} lists its sources."
                )
            purge = drop_source(session, source)
            session.commit()
            document = session.get_one(DocumentRow, document_id)
            left = count_sources(session, document_id)
        if purge is not None:
            self._hide(organization_id, document_id)
        self.wake()
        return SourceRemoval(document_id, DocumentStatus(document.status), purge.id if purge else None, left)

    def purge(self, job: Job) -> None:
        """The delete job: chunks and bytes away, then the proof that nothing is left. Raises `Unavailable`."""
        self.store.delete(job.organization_id, job.document_id)
        left = self.store.count(job.organization_id, job.document_id, published=None)
        if left:
            raise Unavailable(f"The vector store still holds {left} chunks of a deleted document.")
        with Session(self.engine) as session:
            document = session.get_one(DocumentRow, job.document_id)
            if document.status != DocumentStatus.DELETING or document.deleted_at is not None:
                return
            document.deleted_at = document.updated_at = utc_now()
            document.published_version, document.chunks = None, 0
            hashes = {document.content_hash, document.published_hash} - {None}
            session.add(document)
            session.commit()
        for content_hash in hashes:
            self.intake.forget_bytes(str(content_hash))
        log.info("document_purged", document_id=str(job.document_id))

    def _documents_of(self, source_ids: Sequence[UUID]) -> set[UUID]:
        with Session(self.engine) as session:
            those = select(SourceRow.document_id).where(col(SourceRow.id).in_(source_ids))
            return {document_id for document_id in session.exec(those) if document_id is not None}

    def _hide(self, organization_id: UUID, document_id: UUID) -> None:
        try:
            self.store.delete(organization_id, document_id)
        except Unavailable as error:
            INGEST_TROUBLE.labels("delete").inc()
            log.warning("delete_postponed", document_id=str(document_id), reason=error.detail)
        corpus_changed(self.engine, organization_id)
