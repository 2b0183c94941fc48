"""Conversations as answering needs them: what was said, and what is said now. Call from worker threads."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import Engine
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from query_service.conversations.lookup import live
from query_service.conversations.tables import Conversation, Message, Role
from query_service.conversations.title import title_of
from query_service.conversations.visitor import NOBODY
from query_service.events import Done
from shared.db.rows import utc_now
from shared.models import Frozen

HISTORY_MESSAGES = 20
"""Turns that are remembered word for word at most; summaries hold what was before them (summary.py)."""


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
    summary: str = ""
    """What was said before `history`."""


class Conversations:
    """Each call is one transaction and sees only the given organization's rows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, organization_id: UUID, conversation_id: UUID | None, question: str, visitor: str = NOBODY) -> Opened:
        """Write the question into the conversation, a new one if none is named.

        Raises `NotFound` for an unknown one, and for one that a named visitor did not begin.

        The id of the answer to come is made here, so that a stream can announce it first.
        """
        with Session(self._engine) as session:
            if conversation_id is None:
                conversation = Conversation(organization_id=organization_id, visitor=visitor, title="")
                history: tuple[Turn, ...] = ()
            else:
                conversation = live(session, organization_id, conversation_id, visitor)
                history = _history(session, conversation)
                conversation.updated_at = utc_now()
            conversation.title = conversation.title or title_of(question)
            session.add(conversation)
            session.flush()  # the message points to the conversation
            asked = Message(
                organization_id=organization_id,
                conversation_id=conversation.id,
                role=Role.USER.value,
                content=question,
            )
            session.add(asked)
            opened = Opened(conversation.id, asked.id, uuid4(), history, conversation.summary)
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


def unsummarised(conversation: Conversation) -> SelectOfScalar[Message]:
    """The messages that its summary does not hold, oldest first."""
    query = select(Message).where(Message.conversation_id == conversation.id)
    if conversation.summarised_until is not None:
        query = query.where(col(Message.created_at) > conversation.summarised_until)
    return query.order_by(col(Message.created_at), col(Message.id))


def _history(session: Session, conversation: Conversation) -> tuple[Turn, ...]:
    newest_first = unsummarised(conversation).order_by(None)
    newest_first = newest_first.order_by(col(Message.created_at).desc(), col(Message.id).desc())
    rows = session.exec(newest_first.limit(HISTORY_MESSAGES)).all()
    return tuple(Turn(role=Role(row.role), content=row.content) for row in rows)[::-1]
