"""HTTP for documents: what arrives, what is known, what goes."""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse

from ingest_service.api.admission import Admissions, answer_of
from ingest_service.api.schemas import (
    Admitted,
    AdmittedItem,
    ChunkList,
    Deleted,
    DocumentChange,
    DocumentPage,
    DocumentQuery,
    DocumentView,
    NewUrl,
    Sought,
)
from ingest_service.api.uploads import REQUEST_BODY, read_uploads
from ingest_service.documents.blobs import Blobs
from ingest_service.documents.catalogue import Catalogue, Wanted
from ingest_service.documents.changes import Changes
from ingest_service.documents.deletion import Remover, SourceRemoval
from ingest_service.documents.idempotency import Answer
from ingest_service.documents.intake import Intake
from ingest_service.parsing import media_types
from ingest_service.parsing.sniff import sniff_file
from shared.auth.guard import Guard
from shared.auth.keys import Principal, Scope
from shared.errors import BadRequest, Forbidden, Unprocessable
from shared.models import DocumentStatus
from shared.vector_store.protocol import VectorStore

Limit = Annotated[int, Query(ge=1, le=200)]
PrincipalOf = Callable[[Request], Principal]


@dataclass(frozen=True)
class Parts:
    """What the routes work with."""

    guard: Guard
    intake: Intake
    remover: Remover
    changes: Changes
    catalogue: Catalogue
    blobs: Blobs
    store: VectorStore
    admissions: Admissions
    admit: Callable[[Request], Awaitable[None]]
    """Counts an upload, after its key was checked. Raises `TooManyRequests`."""


def reader_of(guard: Guard) -> PrincipalOf:
    """A dependency for what everybody who may ask or ingest may read."""
    may_ask, may_ingest = guard.require(Scope.ASK), guard.require(Scope.INGEST)

    def reader(request: Request) -> Principal:
        try:
            return may_ask(request)
        except Forbidden:
            return may_ingest(request)

    return reader


def document_routes(parts: Parts) -> APIRouter:
    """`/documents`, as described in docs/ingestion.md."""
    router = APIRouter(prefix="/documents", tags=["documents"])
    Writer = Annotated[Principal, Depends(parts.guard.require(Scope.INGEST))]  # noqa: N806
    Reader = Annotated[Principal, Depends(reader_of(parts.guard))]  # noqa: N806

    @router.post("", status_code=202, openapi_extra=REQUEST_BODY, responses={200: {"model": Admitted}})
    async def add(request: Request, response: Response, who: Writer) -> Admitted:
        """Take in documents. 202 when at least one is new, 200 when all are known already.

        Sending the same bytes again adds nothing. With an `Idempotency-Key` a repeated request also gets the same
        answer again, for 24 hours; `Idempotent-Replayed: true` tells.
        """
        await parts.admit(request)
        sent = await read_uploads(request)
        return _sent(
            response,
            await parts.admissions.answer(who.organization_id, sent, request.headers.get("idempotency-key")),
        )

    @router.get("")
    def listed(who: Reader, query: Annotated[DocumentQuery, Query()]) -> DocumentPage:
        """Documents, newest first; `status` takes several, separated by commas, `metadata` is `key=value`."""
        wanted = Wanted(_statuses(query.status), query.name, query.collection, query.language, _pairs(query.metadata))
        return parts.catalogue.page(who.organization_id, wanted, query.limit, query.cursor)

    @router.get("/{document_id}")
    def one(document_id: UUID, who: Reader) -> DocumentView:
        """One document with its sources and, if it failed, the reason."""
        return parts.catalogue.document(who.organization_id, document_id)

    @router.patch("/{document_id}")
    def amend(document_id: UUID, change: DocumentChange, who: Writer) -> DocumentView:
        """Change title, collection or metadata; a job that embeds nothing takes them to citations and filters."""
        parts.changes.amend(
            who.organization_id,
            document_id,
            title=change.title,
            collection=change.collection,
            metadata=change.metadata,
        )
        return parts.catalogue.document(who.organization_id, document_id)

    @router.put("/{document_id}", status_code=202, openapi_extra=REQUEST_BODY, responses={200: {"model": Admitted}})
    async def replace(document_id: UUID, request: Request, response: Response, who: Writer) -> Admitted:
        """Send the next version of a document; the present one is found until the new one is ready."""
        await parts.admit(request)
        uploads = await read_uploads(request)
        if isinstance(uploads, NewUrl):
            raise Unprocessable("A new version is sent as a file. An address is asked again with POST /documents.")
        if len(uploads) != 1:
            raise Unprocessable("A new version is one file; this request has several.")
        upload = uploads[0]
        admission = await asyncio.to_thread(
            parts.intake.replace, who.organization_id, document_id, upload.name, upload.stream
        )
        if upload.metadata or upload.collection:
            await asyncio.to_thread(
                parts.changes.amend,
                who.organization_id,
                document_id,
                title=None,
                collection=upload.collection or None,
                metadata=upload.metadata or None,
            )
        return _sent(response, answer_of(Admitted(documents=[AdmittedItem.of(admission)])))

    @router.delete("/{document_id}", status_code=202)
    def remove(document_id: UUID, response: Response, who: Writer, source: Sought | None = None) -> Deleted:
        """Delete a document. No question finds it from now on; the job purges its chunks and bytes.

        With `source` (the path, title or address it was sent from) only that source is removed: the document stays,
        with 200, as long as another one vouches for it.
        """
        if source is not None:
            return _without_source(parts.remover.forget_source(who.organization_id, document_id, source), response)
        deletion = parts.remover.delete(who.organization_id, document_id)
        response.headers["Location"] = f"/jobs/{deletion.job_id}"
        note = ""
        if deletion.files_left:
            note = (
                f"Its file still lies in the watched folder ({', '.join(deletion.files_left)}). It does not come back "
                "as long as the file stays as it is; remove the file if it is not needed."
            )
        return Deleted(id=document_id, status=DocumentStatus.DELETING, job_id=deletion.job_id, note=note)

    @router.get("/{document_id}/chunks")
    def chunks(document_id: UUID, who: Reader) -> ChunkList:
        """The passages of the published version, as questions find them."""
        parts.catalogue.document(who.organization_id, document_id)
        return ChunkList(items=parts.store.chunks(who.organization_id, document_id))

    @router.get("/{document_id}/content", response_class=FileResponse)
    def content(document_id: UUID, who: Reader) -> FileResponse:
        """The original bytes that questions are answered from."""
        name, content_hash = parts.catalogue.content_of(who.organization_id, document_id)
        path = parts.blobs.existing(content_hash)
        media_type = sniff_file(path, name)
        # Markup is served as plain text whatever its name says, so that a browser shows it and runs nothing.
        media_type = media_types.PLAIN if media_type in media_types.TEXTS else media_type
        shown = media_type in media_types.IMAGES | {media_types.PDF, media_types.PLAIN}
        disposition = _disposition(name, "inline" if shown else "attachment")
        headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": disposition}
        return FileResponse(path, media_type=media_type, headers=headers)

    return router


def _sent(response: Response, answer: Answer) -> Admitted:
    response.status_code = answer.status
    if answer.location:
        response.headers["Location"] = answer.location
        response.headers["Retry-After"] = "1"
    if answer.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return Admitted.model_validate(answer.body)


def _without_source(removal: SourceRemoval, response: Response) -> Deleted:
    if removal.job_id:
        response.headers["Location"] = f"/jobs/{removal.job_id}"
        note = "It was the document's last source."
    else:
        response.status_code = 200
        note = f"The document stays: {removal.left} other source(s) vouch for it."
    return Deleted(id=removal.document_id, status=removal.status, job_id=removal.job_id, note=note)


def _statuses(text: str) -> list[DocumentStatus]:
    try:
        return [DocumentStatus(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise BadRequest(f"status takes {', '.join(DocumentStatus)}, separated by commas.") from error


def _pairs(texts: list[str]) -> dict[str, str]:
    if any("=" not in text for text in texts):
        raise BadRequest("metadata takes key=value, such as metadata=curso=TP555; give it several times for several.")
    return dict(text.split("=", 1) for text in texts)


def _disposition(name: str, manner: str) -> str:
    """The name in ASCII for old clients and in full for all others; quotes and line ends cannot get through."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", errors="ignore").decode()
    plain = "".join(character for character in ascii_name if character.isalnum() or character in " ._-()") or "document"
    return f"{manner}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
