"""The one door for documents, from the API and from the folder. What is the same document is decided here.

Same bytes: the same document. Other bytes from the same place: its next version, unless another place still vouches
for the old bytes. The rules with a picture: docs/ingestion.md.
"""

from collections.abc import Callable
from functools import partial
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session, col, or_, select, update

from ingest_service.documents.arrivals import Admission, Arrival
from ingest_service.documents.blobs import Blobs, StagedBlob
from ingest_service.documents.lifecycle import (
    FOLDER_PRIORITY,
    UPLOAD_PRIORITY,
    add_job,
    begin_version,
    collection_of,
    count_sources,
    found_again,
    label,
    labels_changed,
    let_go,
    live_document,
    live_document_with,
    source_at,
    vouch_for_upload,
    would_cost_a_good_one,
)
from ingest_service.documents.refusals import unread
from ingest_service.jobs.ledger import Ledger
from ingest_service.parsing import errors
from ingest_service.parsing.sandbox import Sandbox
from ingest_service.parsing.sniff import sniff_file
from ingest_service.tables import ENDED, DocumentRow, JobKind, JobRow, SourceKind, SourceRow
from shared.errors import Conflict, NotFound, Unavailable
from shared.models import DocumentStatus
from shared.observability.logs import get_logger
from shared.observability.traces import span

log = get_logger(__name__)

RETRY_AFTER_S = 30
PATIENCE_S = 2.0
"""How long an arrival waits for the document that it changes: all uploads share a few threads."""


class Intake:
    """Admits documents. Synchronous and thread-safe; calls `wake` when there is new work."""

    def __init__(
        self,
        engine: Engine,
        blobs: Blobs,
        ledger: Ledger,
        sandbox: Sandbox,
        *,
        max_queued: int,
        wake: Callable[[], None],
    ) -> None:
        self.engine = engine
        self.blobs = blobs
        self.ledger = ledger
        self.sandbox = sandbox
        self.max_queued = max_queued
        self.wake = wake

    def admit(self, arrival: Arrival, stream: BinaryIO) -> Admission:
        """Take in a document; safe to repeat. Raises `TooLarge`, `UnsupportedMedia`, `UnreadableDocument`,
        `Unavailable` when the queue is full or the document is being published, and `NotFound` when
        `arrival.document_id` is gone.

        A file of the folder is not refused for its content: nobody waits for the answer, so its job says why.
        """
        with span("admit", {"xgtwin.source": arrival.kind}):
            with self.blobs.stage(stream, arrival.name) as staged:
                media_type = self._media_type(staged, arrival.name, check=arrival.kind != SourceKind.FOLDER)
                alone = self.blobs.changing_documents(partial(self._documents_at, arrival), within_s=PATIENCE_S)
                with alone, Session(self.engine, expire_on_commit=False) as session:
                    admission, job_needed, outdated = self._identify(session, arrival, staged, media_type)
                    if job_needed:
                        self._refuse_if_full()
                    self.blobs.keep(staged)
                    session.commit()
            if outdated:
                self.forget_bytes(outdated)
            self.wake()
            ids = {"document_id": str(admission.document_id), "job_id": str(admission.job_id)}
            log.info("document_admitted", **ids, source=arrival.kind, duplicate=admission.duplicate, bytes=staged.size)
        return admission

    def replace(self, organization_id: UUID, document_id: UUID, name: str, stream: BinaryIO) -> Admission:
        """Make these bytes the next version of a known document. Raises as `admit`, `NotFound`, and `Conflict` when
        the bytes are another document."""
        with self.blobs.stage(stream, name) as staged:
            media_type = self._media_type(staged, name, check=True)
            alone = self.blobs.changing_documents(lambda: {document_id}, within_s=PATIENCE_S)
            with alone, Session(self.engine, expire_on_commit=False) as session:
                document = live_document(session, organization_id, document_id)
                if document is None:
                    raise NotFound("There is no document with this id. GET /documents lists them.")
                same = live_document_with(session, organization_id, staged.content_hash)
                if same is not None and same.id != document.id:
                    raise Conflict(
                        f"These bytes are already the document {same.id} ({same.name}): delete one of the two first."
                    )
                if same is not None:
                    return _admission(session, document, duplicate=True)
                self._refuse_if_full()
                self.blobs.keep(staged)
                outdated = self._next_version(
                    session, document, staged, media_type, priority=UPLOAD_PRIORITY, name=name
                )
                # What a server called the bytes that it sent says nothing of these.
                of_document = col(SourceRow.document_id) == document.id
                session.exec(update(SourceRow).where(of_document).values(etag=None, last_modified=None))
                vouch_for_upload(session, document, name)
                session.commit()
                admission = _admission(session, document, duplicate=False)
        self.forget_bytes(outdated)
        self.wake()
        return admission

    def forget_bytes(self, content_hash: str) -> None:
        """Delete original bytes that no document needs any more, as newest or as published version."""

        def still_needed() -> bool:
            with Session(self.engine) as session:
                using = select(DocumentRow.id).where(
                    col(DocumentRow.deleted_at).is_(None),
                    or_(
                        col(DocumentRow.content_hash) == content_hash,
                        col(DocumentRow.published_hash) == content_hash,
                    ),
                )
                return session.exec(using.limit(1)).first() is not None

        self.blobs.drop_unless(content_hash, still_needed)

    def _documents_at(self, arrival: Arrival) -> set[UUID]:
        """The document that lies in the arrival's place: this one gets a next version, or may have to go."""
        with Session(self.engine) as session:
            source = source_at(session, arrival.organization_id, arrival.kind, arrival.key)
            return set() if source is None or source.document_id is None else {source.document_id}

    def _identify(
        self, session: Session, arrival: Arrival, staged: StagedBlob, media_type: str
    ) -> tuple[Admission, bool, str]:
        """What the arrival is, whether there is work to do, and the hash of bytes that it outdates, if any."""
        outdated = ""
        source = source_at(session, arrival.organization_id, arrival.kind, arrival.key)
        if arrival.document_id is not None and (source is None or source.document_id != arrival.document_id):
            raise NotFound("The document was deleted meanwhile, and what arrived for it is not kept.")
        same = live_document_with(session, arrival.organization_id, staged.content_hash)
        if same is not None:
            if source is not None and would_cost_a_good_one(session, source, same):
                if arrival.kind == SourceKind.FOLDER:
                    raise unread(same)
                return _admission(session, same, duplicate=True), False, outdated
            self._vouch(session, arrival, source, same, staged.size)
            if label(same, title=arrival.title, collection=arrival.collection, metadata=arrival.metadata):
                labels_changed(session, same, UPLOAD_PRIORITY)
            session.flush()
            return _admission(session, same, duplicate=True), False, outdated
        priority = FOLDER_PRIORITY if arrival.kind == SourceKind.FOLDER else UPLOAD_PRIORITY
        known = source.document_id if source else None
        document = live_document(session, arrival.organization_id, known) if known else None
        if document is not None and count_sources(session, document.id) == 1:
            outdated = self._next_version(session, document, staged, media_type, priority=priority, name=arrival.name)
        else:
            document = DocumentRow(
                organization_id=arrival.organization_id,
                name=arrival.name,
                content_hash=staged.content_hash,
                size=staged.size,
                media_type=media_type,
                status=DocumentStatus.QUEUED,
            )
            if arrival.kind == SourceKind.FOLDER:
                document.collection = collection_of(arrival.key)
            session.add(document)
            session.flush()
            add_job(session, document, JobKind.INGEST, priority)
        label(document, title=arrival.title, collection=arrival.collection, metadata=arrival.metadata)
        self._vouch(session, arrival, source, document, staged.size)
        session.flush()
        return _admission(session, document, duplicate=False), True, outdated

    def _vouch(
        self, session: Session, arrival: Arrival, source: SourceRow | None, document: DocumentRow, size: int
    ) -> None:
        """Note that this place holds this document now, and let go of the one it held before."""
        if source is not None and source.document_id not in {None, document.id}:
            let_go(session, source)
            source = None
        if source is None:
            source = SourceRow(organization_id=arrival.organization_id, kind=arrival.kind, key=arrival.key, size=size)
        source.key, source.document_id, source.refusal = arrival.key, document.id, None
        source.size, source.mtime_ns, source.ctime_ns = size, arrival.mtime_ns, arrival.ctime_ns
        source.etag, source.last_modified = arrival.etag, arrival.last_modified
        session.add(source)
        session.flush()
        if arrival.kind == SourceKind.FOLDER:
            found_again(session, document)

    def _next_version(
        self,
        session: Session,
        document: DocumentRow,
        staged: StagedBlob,
        media_type: str,
        *,
        priority: int,
        name: str,
    ) -> str:
        """Returns the hash of the bytes that were the newest so far."""
        before = document.content_hash
        document.content_hash, document.size, document.media_type = staged.content_hash, staged.size, media_type
        document.name = name
        begin_version(session, document, priority)
        return before

    def _media_type(self, staged: StagedBlob, name: str, *, check: bool) -> str:
        if staged.size == 0:
            raise errors.without_bytes()
        media_type = sniff_file(staged.path, name)
        if check:
            self.sandbox.check(staged.path, media_type)
        return media_type

    def _refuse_if_full(self) -> None:
        if self.ledger.waiting() >= self.max_queued:
            raise Unavailable(
                f"{self.max_queued} documents wait already (INGEST__MAX_QUEUED). Send this one again later.",
                code="queue_full",
                retry_after=RETRY_AFTER_S,
            )


def _admission(session: Session, document: DocumentRow, *, duplicate: bool) -> Admission:
    job_id = session.exec(
        select(JobRow.id).where(JobRow.document_id == document.id, col(JobRow.state).not_in(ENDED))
    ).first()
    return Admission(document.id, document.name, DocumentStatus(document.status), job_id, duplicate)
