"""HTTP for the generations of vectors."""

from typing import Annotated

from fastapi import APIRouter, Depends

from ingest_service.filling.filler import Filler
from shared.auth.guard import Guard
from shared.auth.keys import Principal, Scope
from shared.models import Frozen


class FillingView(Frozen):
    """How far the next generation is: documents, and what is done or waited for this moment."""

    done: int
    total: int
    stage: str


class GenerationsView(Frozen):
    """The generation that searches see, and the one that is being filled."""

    current: int
    model: str | None
    """What its dense vectors were made with; null for words alone."""
    requested: bool
    """A fresh generation was asked for and is not begun yet."""
    waits_for: str | None
    """Why none can begin now, in words about the embedding model."""
    next: int | None
    filling: FillingView | None


def generation_routes(guard: Guard, filler: Filler) -> APIRouter:
    """`/generations`: see and renew the vectors. They are everybody's, so it takes an operator's key."""
    router = APIRouter(tags=["generations"])
    Operator = Annotated[Principal, Depends(guard.require(Scope.ADMIN))]  # noqa: N806

    @router.get("/generations")
    def seen(_: Operator) -> GenerationsView:
        """Which generation is current, and how far the next one is."""
        store = filler.store
        following, filling = store.next, store.filling
        return GenerationsView(
            current=store.number,
            model=store.made_with.model,
            requested=filler.request.exists(),
            waits_for=filler.model.status().words if filler.wanted() is None else None,
            next=following.number if following else None,
            filling=FillingView(done=filling.done, total=filling.total, stage=filling.stage) if filling else None,
        )

    @router.post("/generations", status_code=202)
    def renew(who: Operator) -> GenerationsView:
        """Make all vectors anew beside the present ones, which are searched until the new ones are complete."""
        filler.ask()
        return seen(who)

    return router
