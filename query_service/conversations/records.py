"""What clients do with conversations beside asking: make, list, read, rename and delete. Call from worker threads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import Engine, tuple_
from sqlmodel import Session, col, select

from query_service.conversations import cursor as cursors
from query_service.conversations.lookup import live
from query_service.conversations.tables import Conversation, Feedback, Message
from query_service.conversations.title import title_of
from query_service.conversations.visitor import NOBODY
from shared.db.rows import utc_now

Row = TypeVar("Row", Conversation, Message)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    items: Sequence[Row]
    next_cursor: str | None


class ConversationRecords:
    """Each call is one transaction and sees only the given organization's rows.

    A conversation that is unknown, another organization's or deleted raises `NotFound`; a foreign cursor `BadRequest`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, organization_id: UUID, visitor: str, title: str) -> Conversation:
        """A conversation without messages; with an empty title its first question will name it."""
        row = Conversation(organization_id=organization_id, visitor=visitor, title=title_of(title))
        with Session(self._engine, expire_on_commit=False) as session:
            session.add(row)
            session.commit()
        return row

    def page(self, organization_id: UUID, limit: int, cursor: str | None, visitor: str = NOBODY) -> Page[Conversation]:
        """Conversations, newest first; of one visitor when he is named."""
        query = select(Conversation).where(
            Conversation.organization_id == organization_id, col(Conversation.deleted_at).is_(None)
        )
        if visitor != NOBODY:
            query = query.where(Conversation.visitor == visitor)
        if cursor:
            query = query.where(tuple_(col(Conversation.created_at), col(Conversation.id)) < cursors.decode(cursor))
        with Session(self._engine) as session:
            found = session.exec(
                query.order_by(col(Conversation.created_at).desc(), col(Conversation.id).desc()).limit(limit + 1)
            ).all()
        return _paged(found, limit)

    def get(self, organization_id: UUID, conversation_id: UUID) -> Conversation:
        with Session(self._engine) as session:
            return live(session, organization_id, conversation_id)

    def rename(self, organization_id: UUID, conversation_id: UUID, title: str) -> Conversation:
        with Session(self._engine, expire_on_commit=False) as session:
            row = live(session, organization_id, conversation_id)
            row.title = title_of(title)
            row.updated_at = utc_now()
            session.add(row)
            session.commit()
        return row

    def delete(self, organization_id: UUID, conversation_id: UUID) -> None:
        """Hide a conversation for good."""
        with Session(self._engine) as session:
            row = live(session, organization_id, conversation_id)
            row.deleted_at = utc_now()
            session.add(row)
            session.commit()

    def messages(self, organization_id: UUID, conversation_id: UUID, limit: int, cursor: str | None) -> Page[Message]:
        """Messages of a conversation, oldest first."""
        query = select(Message).where(Message.conversation_id == conversation_id)
        if cursor:
            query = query.where(tuple_(col(Message.created_at), col(Message.id)) > cursors.decode(cursor))
        with Session(self._engine) as session:
            live(session, organization_id, conversation_id)
            found = session.exec(query.order_by(col(Message.created_at), col(Message.id)).limit(limit + 1)).all()
        return _paged(found, limit)

    def feedback_on(self, messages: Sequence[Message]) -> dict[UUID, list[Feedback]]:
        """What visitors said of these messages, oldest first; nothing for those that nobody rated."""
        found: dict[UUID, list[Feedback]] = {}
        wanted = col(Feedback.message_id).in_([message.id for message in messages])
        with Session(self._engine) as session:
            for row in session.exec(select(Feedback).where(wanted).order_by(col(Feedback.created_at))):
                found.setdefault(row.message_id, []).append(row)
        return found


def _paged(found: Sequence[Row], limit: int) -> Page[Row]:
    kept = found[:limit]
    more = len(found) > limit
    return Page(kept, cursors.encode(kept[-1].created_at, kept[-1].id) if more else None)
