"""Conversations in the database. Synchronous: call from worker threads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Engine, tuple_
from sqlmodel import Session, col, select

from query_service.conversations import cursor as cursors
from query_service.conversations.tables import Conversation, Message, Role
from query_service.events import Done
from shared.db.rows import utc_now
from shared.errors import NotFound
from shared.models import Frozen

Row = TypeVar("Row", Conversation, Message)

HISTORY_MESSAGES = 6
"""Turns that are remembered: the last three questions with their answers."""
TITLE_CHARS = 80


class Turn(Frozen):
    """One earlier message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation with a question just written into it; `history` is what was said before, oldest first."""

    conversation_id: UUID
    question_id: UUID
    message_id: UUID
    """The answer's."""
    history: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    items: Sequence[Row]
    next_cursor: str | None


class Conversations:
    """Each call is one transaction and sees only the given organization's rows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, organization_id: UUID, conversation_id: UUID | None, question: str) -> Opened:
        """Write the question into the conversation, a new one if none is named. Raises `NotFound` for an unknown one.

        The id of the answer to come is made here, so that a stream can announce it first.
        """
        with Session(self._engine) as session:
            if conversation_id is None:
                conversation = Conversation(organization_id=organization_id, title=_title(question))
                history: tuple[Turn, ...] = ()
            else:
                conversation = _live(session, organization_id, conversation_id)
                history = _history(session, conversation_id)
                conversation.updated_at = utc_now()
            session.add(conversation)
            session.flush()  # the message points to the conversation
            asked = Message(
                organization_id=organization_id,
                conversation_id=conversation.id,
                role=Role.USER.value,
                content=question,
            )
            session.add(asked)
            opened = Opened(conversation.id, asked.id, uuid4(), history)
            session.commit()
        return opened

    def answered(self, organization_id: UUID, question_id: UUID, done: Done) -> None:
        """Keep the answer, and what its question meant. A conversation deleted meanwhile keeps them too, unseen."""
        with Session(self._engine) as session:
            if done.standalone_question:
                asked = session.get_one(Message, question_id)
                asked.standalone_question = done.standalone_question
                session.add(asked)
            session.add(
                Message(
                    id=done.message_id,
                    organization_id=organization_id,
                    conversation_id=done.conversation_id,
                    role=Role.ASSISTANT.value,
                    content=done.answer,
                    citations=[citation.model_dump(mode="json") for citation in done.citations],
                    grounded=done.grounded,
                    reason=done.reason.value if done.reason else None,
                    model=done.model,
                    usage=done.usage.model_dump(),
                    timings_ms=done.timings_ms.model_dump(),
                )
            )
            session.commit()

    def page(self, organization_id: UUID, limit: int, cursor: str | None) -> Page[Conversation]:
        """Conversations, newest first. Raises `BadRequest` for a foreign cursor."""
        query = select(Conversation).where(
            Conversation.organization_id == organization_id, col(Conversation.deleted_at).is_(None)
        )
        if cursor:
            query = query.where(tuple_(col(Conversation.created_at), col(Conversation.id)) < cursors.decode(cursor))
        with Session(self._engine) as session:
            found = session.exec(
                query.order_by(col(Conversation.created_at).desc(), col(Conversation.id).desc()).limit(limit + 1)
            ).all()
        return _paged(found, limit)

    def messages(self, organization_id: UUID, conversation_id: UUID, limit: int, cursor: str | None) -> Page[Message]:
        """Messages of a conversation, oldest first. Raises `NotFound`, or `BadRequest` for a foreign cursor."""
        query = select(Message).where(Message.conversation_id == conversation_id)
        if cursor:
            query = query.where(tuple_(col(Message.created_at), col(Message.id)) > cursors.decode(cursor))
        with Session(self._engine) as session:
            _live(session, organization_id, conversation_id)
            found = session.exec(query.order_by(col(Message.created_at), col(Message.id)).limit(limit + 1)).all()
        return _paged(found, limit)

    def delete(self, organization_id: UUID, conversation_id: UUID) -> None:
        """Hide a conversation for good. Raises `NotFound` for one that is unknown or hidden already."""
        with Session(self._engine) as session:
            conversation = _live(session, organization_id, conversation_id)
            conversation.deleted_at = utc_now()
            session.add(conversation)
            session.commit()


def _live(session: Session, organization_id: UUID, conversation_id: UUID) -> Conversation:
    found = session.exec(
        select(Conversation).where(
            Conversation.id == conversation_id,
            Conversation.organization_id == organization_id,
            col(Conversation.deleted_at).is_(None),
        )
    ).one_or_none()
    if found is None:
        raise NotFound(
            f"There is no conversation {conversation_id}. Leave conversation_id out to start a new one.",
            code="conversation_not_found",
        )
    return found


def _history(session: Session, conversation_id: UUID) -> tuple[Turn, ...]:
    newest_first = session.exec(
        select(Message)
        .where(Message.conversation_id == conversation_id)
        .order_by(col(Message.created_at).desc(), col(Message.id).desc())
        .limit(HISTORY_MESSAGES)
    )
    return tuple(Turn(role=Role(row.role), content=row.content) for row in newest_first)[::-1]


def _title(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= TITLE_CHARS else line[: TITLE_CHARS - 1].rstrip() + "…"


def _paged(found: Sequence[Row], limit: int) -> Page[Row]:
    kept = found[:limit]
    more = len(found) > limit
    return Page(kept, cursors.encode(kept[-1].created_at, kept[-1].id) if more else None)
