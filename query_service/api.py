"""The routes of the query service, thin: shapes in, the story, shapes out."""

from collections.abc import Callable, Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sse_starlette import EventSourceResponse

from query_service.ask import Asker, Question
from query_service.conversations import Conversations
from query_service.events import Done
from query_service.retrieval import Retriever
from query_service.schemas import (
    AskRequest,
    ConversationList,
    ConversationView,
    MessageList,
    MessageView,
    SearchRequest,
    SearchResponse,
    SearchResult,
    cleaned_question,
)
from query_service.sse import event_stream
from shared.auth.keys import Principal
from shared.settings import QuerySettings

Allowed = Callable[[Request], Principal]

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(description="The `next_cursor` of the page before.")]


def ask_routes(asker: Asker, allowed: Allowed, settings: QuerySettings) -> APIRouter:
    router = APIRouter(tags=["ask"])

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
            filters=body.filters.meaning(),
            credential=credential_of(request),
        )
        if not body.stream:
            return await asker.answer(question)
        events = asker.ask(question)
        # The first event is awaited here, so that an unknown conversation is a 404 and no stream.
        return event_stream(await anext(events), events, request.url.path)

    return router


def search_routes(retriever: Retriever, allowed: Allowed, settings: QuerySettings) -> APIRouter:
    router = APIRouter(tags=["ask"])

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


def conversation_routes(conversations: Conversations, allowed: Allowed) -> APIRouter:
    router = APIRouter(prefix="/conversations", tags=["conversations"])
    Caller = Annotated[Principal, Depends(allowed)]  # noqa: N806 - a type

    @router.get("")
    def list_conversations(caller: Caller, limit: Limit = 50, cursor: Cursor = None) -> ConversationList:
        """Conversations, newest first."""
        page = conversations.page(caller.organization_id, limit, cursor)
        return ConversationList(items=[ConversationView.of(row) for row in page.items], next_cursor=page.next_cursor)

    @router.get("/{conversation_id}/messages")
    def list_messages(conversation_id: UUID, caller: Caller, limit: Limit = 50, cursor: Cursor = None) -> MessageList:
        """Questions and answers, oldest first."""
        page = conversations.messages(caller.organization_id, conversation_id, limit, cursor)
        return MessageList(items=[MessageView.of(row) for row in page.items], next_cursor=page.next_cursor)

    @router.delete("/{conversation_id}", status_code=204)
    def delete_conversation(conversation_id: UUID, caller: Caller) -> Response:
        """Hide a conversation with its messages; it cannot be continued afterwards."""
        conversations.delete(caller.organization_id, conversation_id)
        return Response(status_code=204)

    return router


def credential_of(request: Request) -> Mapping[str, str]:
    """The header that carries the caller's key, if he sent one."""
    return {name: value for name in ("authorization", "x-api-key") if (value := request.headers.get(name))}
