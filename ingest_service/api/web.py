"""HTTP for documents from addresses: asking for all of them again. One address is sent with `POST /documents`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from ingest_service.api.documents import reader_of
from ingest_service.web.refresh import Refreshes, RefreshReport
from shared.auth.guard import Guard
from shared.auth.keys import Principal, Scope


def web_routes(guard: Guard, refreshes: Refreshes) -> APIRouter:
    """`/sources/web/refresh`, as described in docs/ingestion.md."""
    router = APIRouter(prefix="/sources/web", tags=["documents"])
    Writer = Annotated[Principal, Depends(guard.require(Scope.INGEST))]  # noqa: N806
    Reader = Annotated[Principal, Depends(reader_of(guard))]  # noqa: N806

    @router.post("/refresh", status_code=202)
    async def refresh(response: Response, who: Writer) -> RefreshReport:
        """Ask for every web document again, in the background; while that runs, the same answer again."""
        response.headers["Location"] = "/sources/web/refresh"
        response.headers["Retry-After"] = "2"
        return await refreshes.start(who.organization_id)

    @router.get("/refresh")
    def report(who: Reader) -> RefreshReport:
        """What the newest refresh found so far."""
        return refreshes.report(who.organization_id)

    return router
