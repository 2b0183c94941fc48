"""Conversations over HTTP, and what visitors think of their answers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from query_service.api.access import Allowed
from query_service.api.conversation_shapes import (
    ConversationChange,
    ConversationList,
    ConversationView,
    FeedbackView,
    GivenFeedback,
    MessageList,
    MessageView,
    NewConversation,
)
from query_service.api.schemas import USER_CHARS
from query_service.conversations.feedback import FeedbackBook
from query_service.conversations.memory import Memory
from query_service.conversations.records import ConversationRecords
from query_service.conversations.visitor import visitor_of
from shared.auth.keys import Principal

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(description="The `next_cursor` of the page before.")]
OfUser = Annotated[
    str | None, Query(min_length=1, max_length=USER_CHARS, description="Only this user's conversations.")
]


def conversation_routes(records: ConversationRecords, memory: Memory | None, allowed: Allowed) -> APIRouter:
    router = APIRouter(prefix="/conversations", tags=["conversations"])
    Caller = Annotated[Principal, Depends(allowed)]  # noqa: N806 - a type

    @router.post("", status_code=201)
    def create_conversation(body: NewConversation, caller: Caller, response: Response) -> ConversationView:
        """An empty conversation. `POST /ask` without a `conversation_id` makes one too."""
        row = records.create(caller.organization_id, visitor_of(caller.organization_id, body.user), body.title)
        response.headers["Location"] = f"/conversations/{row.id}"
        return ConversationView.of(row)

    @router.get("")
    def list_conversations(
        caller: Caller, limit: Limit = 50, cursor: Cursor = None, user: OfUser = None
    ) -> ConversationList:
        """Conversations, newest first."""
        visitor = visitor_of(caller.organization_id, user)
        page = records.page(caller.organization_id, limit, cursor, visitor)
        return ConversationList(items=[ConversationView.of(row) for row in page.items], next_cursor=page.next_cursor)

    @router.get("/{conversation_id}")
    def read_conversation(conversation_id: UUID, caller: Caller) -> ConversationView:
        """One conversation without its messages."""
        return ConversationView.of(records.get(caller.organization_id, conversation_id))

    @router.patch("/{conversation_id}")
    def rename_conversation(conversation_id: UUID, body: ConversationChange, caller: Caller) -> ConversationView:
        """Give it another title."""
        return ConversationView.of(records.rename(caller.organization_id, conversation_id, body.title))

    @router.delete("/{conversation_id}", status_code=204)
    def delete_conversation(conversation_id: UUID, caller: Caller) -> Response:
        """Hide a conversation with its messages; it cannot be continued afterwards."""
        records.delete(caller.organization_id, conversation_id)
        if memory is not None:
            memory.forget(caller.organization_id, conversation_id)
        return Response(status_code=204)

    @router.get("/{conversation_id}/messages")
    def list_messages(conversation_id: UUID, caller: Caller, limit: Limit = 50, cursor: Cursor = None) -> MessageList:
        """Questions and answers, oldest first, with what visitors thought of them."""
        page = records.messages(caller.organization_id, conversation_id, limit, cursor)
        feedback = records.feedback_on(page.items)
        items = [MessageView.of(row, feedback.get(row.id, [])) for row in page.items]
        return MessageList(items=items, next_cursor=page.next_cursor)

    return router


def feedback_routes(book: FeedbackBook, allowed: Allowed) -> APIRouter:
    router = APIRouter(tags=["conversations"])

    @router.post("/messages/{message_id}/feedback")
    def give_feedback(
        message_id: UUID, body: GivenFeedback, caller: Annotated[Principal, Depends(allowed)]
    ) -> FeedbackView:
        """Say whether an answer helped; `message_id` came with it. One opinion for each user, the latest one stays."""
        visitor = visitor_of(caller.organization_id, body.user)
        return FeedbackView.of(book.write(caller.organization_id, message_id, visitor, body.meaning()))

    return router
