"""Finding a conversation that a request may see."""

from uuid import UUID

from sqlmodel import Session, col, select

from query_service.conversations.tables import Conversation
from query_service.conversations.visitor import NOBODY
from shared.errors import NotFound


def live(session: Session, organization_id: UUID, conversation_id: UUID, visitor: str = NOBODY) -> Conversation:
    """The conversation, if it is the organization's and not deleted; a visitor who is named reaches only his own.

    Raises `NotFound` otherwise, the same for all three.
    """
    query = select(Conversation).where(
        Conversation.id == conversation_id,
        Conversation.organization_id == organization_id,
        col(Conversation.deleted_at).is_(None),
    )
    if visitor != NOBODY:
        query = query.where(Conversation.visitor == visitor)
    found = session.exec(query).one_or_none()
    if found is None:
        raise NotFound(
            f"There is no conversation {conversation_id}. Leave conversation_id out to start a new one.",
            code="conversation_not_found",
        )
    return found
