"""`POST /ask` and `POST /search`."""

import time
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sse_starlette import EventSourceResponse

from query_service.api.access import Admit, Allowed, credential_of, key_first
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
from query_service.events import Done, Event
from query_service.question import Question
from query_service.retrieval.retriever import Found, Retriever
from query_service.turns import Turns
from shared.auth.keys import Principal
from shared.observability.slow import tell_if_slow
from shared.settings import QuerySettings


def ask_routes(asker: Asker, allowed: Allowed, admit: Admit, settings: QuerySettings) -> APIRouter:
    router = APIRouter(tags=["ask"], route_class=key_first(allowed))

    @router.post("/ask", response_model=Done, dependencies=[Depends(admit)])
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
        first = await while_connected(request, _first(events))
        return event_stream(first, events, request.url.path)

    return router


async def _first(events: AsyncGenerator[Event, None]) -> Event:
    return await anext(events)


def search_routes(
    retriever: Retriever, turns: Turns, allowed: Allowed, admit: Admit, settings: QuerySettings
) -> APIRouter:
    router = APIRouter(tags=["ask"], route_class=key_first(allowed))

    @router.post("/search", dependencies=[Depends(admit)])
    async def search(body: SearchRequest, principal: Annotated[Principal, Depends(allowed)]) -> SearchResponse:
        """The passages that an answer would rest on, best first. `score` orders one search and is no probability."""
        query = cleaned_question(body.query, settings.max_question_chars, "query")
        top_k, filters = body.top_k or settings.top_k, body.filters.meaning()
        asked = begun = time.perf_counter()

        def retrieve() -> Found:
            nonlocal begun
            begun = time.perf_counter()
            return retriever.retrieve(principal.organization_id, query, top_k, filters)

        found = await turns.run(retrieve)
        now = time.perf_counter()
        stages = {"wait": round((begun - asked) * 1000, 1), "retrieve": round((now - begun) * 1000, 1)}
        tell_if_slow("slow_search", (now - asked) * 1000, settings.slow_ms, **stages)
        return SearchResponse(results=[SearchResult.of(passage) for passage in found.passages])

    return router
