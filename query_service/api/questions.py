"""`POST /ask` and `POST /search`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sse_starlette import EventSourceResponse

from query_service.api.access import Allowed, credential_of, key_first
from query_service.api.connection import while_connected
from query_service.api.schemas import (
    AskRequest,
    SearchRequest,
    SearchResponse,
    SearchResult,
    cleaned_question,
)
from query_service.api.sse import event_stream
from query_service.ask import Asker
from query_service.conversations.visitor import visitor_of
from query_service.events import Done
from query_service.question import Question
from query_service.retrieval.retriever import Retriever
from shared.auth.keys import Principal
from shared.settings import QuerySettings


def ask_routes(asker: Asker, allowed: Allowed, settings: QuerySettings) -> APIRouter:
    router = APIRouter(tags=["ask"], route_class=key_first(allowed))

    @router.post("/ask", response_model=Done)
    async def ask(
        body: AskRequest, request: Request, principal: Annotated[Principal, Depends(allowed)]
    ) -> Done | EventSourceResponse:
        """Answer a question from the documents, with proof.

        With `"stream": true` the answer comes as server-sent events:
        `meta`, `sources`, `delta`..., `citation`..., `usage`, `done` (the object below), or `error` (a problem).
        """
        question = Question(
            organization_id=principal.organization_id,
            text=cleaned_question(body.question, settings.max_question_chars),
            top_k=body.top_k or settings.top_k,
            conversation_id=body.conversation_id,
            visitor=visitor_of(principal.organization_id, body.user),
            filters=body.filters.meaning(),
            credential=credential_of(request),
        )
        if not body.stream:
            return await while_connected(request, asker.answer(question))
        events = asker.ask(question)
        # The first event is awaited here, so that an unknown conversation is a 404 and no stream.
        return event_stream(await anext(events), events, request.url.path)

    return router


def search_routes(retriever: Retriever, allowed: Allowed, settings: QuerySettings) -> APIRouter:
    router = APIRouter(tags=["ask"], route_class=key_first(allowed))

    @router.post("/search")
    def search(body: SearchRequest, principal: Annotated[Principal, Depends(allowed)]) -> SearchResponse:
        """The passages that an answer would rest on, best first. `score` orders one search and is no probability."""
        found = retriever.retrieve(
            principal.organization_id,
            cleaned_question(body.query, settings.max_question_chars, "query"),
            body.top_k or settings.top_k,
            body.filters.meaning(),
        )
        return SearchResponse(results=[SearchResult.of(passage) for passage in found.passages])

    return router
