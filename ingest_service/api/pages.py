"""HTTP for page images."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.concurrency import run_in_threadpool

from ingest_service.api.documents import reader_of
from ingest_service.reading.page_images import PageImages
from shared.auth.guard import Guard
from shared.auth.keys import Principal

_KEEP = "private, max-age=60"
"""A new version of the document may be published under the same address."""


def page_routes(guard: Guard, images: PageImages) -> APIRouter:
    """`/documents/{id}/pages/{n}.png`, as described in docs/ingestion.md."""
    router = APIRouter(prefix="/documents", tags=["documents"])
    Reader = Annotated[Principal, Depends(reader_of(guard))]  # noqa: N806

    @router.get(
        "/{document_id}/pages/{number}.png",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}, 304: {"description": "The page is as it was."}},
    )
    async def page(
        document_id: UUID,
        number: Annotated[int, Path(ge=1, le=1_000_000)],
        who: Reader,
        *,
        highlight: Annotated[str, Query(description="start-end of a chunk, in characters of the document.")] = "",
        version: Annotated[int | None, Query(description="Of the document that the highlight speaks of.")] = None,
        if_none_match: Annotated[str, Header()] = "",
    ) -> Response:
        """A page of the published version as a picture, with a passage marked."""
        request = await run_in_threadpool(
            images.find, who.organization_id, document_id, number, highlight, version=version
        )
        headers = {"ETag": request.etag, "Cache-Control": _KEEP, "X-Content-Type-Options": "nosniff"}
        if request.etag in {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}:
            return Response(status_code=304, headers=headers)
        return Response(await images.draw(request), media_type="image/png", headers=headers)

    return router
