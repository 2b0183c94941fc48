"""HTTP for sync clients: what changed since they last sent something."""

from typing import Annotated

from fastapi import APIRouter, Depends

from ingest_service.documents.manifest import Difference, Manifest, Manifests
from shared.auth.guard import Guard
from shared.auth.keys import Principal, Scope


def manifest_routes(guard: Guard, manifests: Manifests) -> APIRouter:
    """`POST /documents/diff`, as described in docs/ingestion.md."""
    router = APIRouter(prefix="/documents", tags=["documents"])
    Writer = Annotated[Principal, Depends(guard.require(Scope.INGEST))]  # noqa: N806

    @router.post("/diff")
    def diff(manifest: Manifest, who: Writer) -> Difference:
        """Compare all files of a client with what arrived from it. Nothing is changed or deleted by this."""
        return manifests.compare(who.organization_id, manifest)

    return router
