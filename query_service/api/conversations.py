"""Conversations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from query_service.api.access import Allowed
from query_service.api.schemas import ConversationList, ConversationView, MessageList, MessageView
from query_service.conversations.store import Conversations
from shared.auth.keys import Principal

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(description="The `next_cursor` of the page before.")]


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
