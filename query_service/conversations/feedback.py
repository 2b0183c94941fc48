"""What visitors think of answers. Call from worker threads."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from query_service.conversations.tables import Conversation, Feedback, Message, Rating, Role
from shared.db.rows import utc_now
from shared.errors import NotFound
from shared.observability.metrics import FEEDBACK


@dataclass(frozen=True, slots=True)
class Opinion:
    """`expected` is what the answer should have been."""

    rating: Rating
    comment: str | None = None
    expected: str | None = None


class FeedbackBook:
    """One opinion for each answer and visitor; the latest one stays."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, organization_id: UUID, message_id: UUID, visitor: str, opinion: Opinion) -> Feedback:
        """Safe to repeat. Raises `NotFound` for what is no answer of a conversation that the organization can see."""
        try:
            return self._put(organization_id, message_id, visitor, opinion)
        except IntegrityError:  # the same visitor's other request made the row in between: now it is there
            return self._put(organization_id, message_id, visitor, opinion)

    def disliked(self, organization_id: UUID, answer: str) -> bool:
        """Whether somebody said that an answer with these words did not help."""
        rated = (
            select(Feedback.id)
            .join(Message, col(Message.id) == col(Feedback.message_id))
            .where(
                Feedback.organization_id == organization_id,
                Feedback.rating == Rating.DOWN.value,
                Message.content == answer,
            )
        )
        with Session(self._engine) as session:
            return session.exec(rated.limit(1)).first() is not None

    def _put(self, organization_id: UUID, message_id: UUID, visitor: str, opinion: Opinion) -> Feedback:
        with Session(self._engine, expire_on_commit=False) as session:
            _require_answer(session, organization_id, message_id)
            given = select(Feedback).where(Feedback.message_id == message_id, Feedback.visitor == visitor)
            row = session.exec(given).one_or_none()
            if row is None:
                row = Feedback(organization_id=organization_id, message_id=message_id, visitor=visitor, rating=0)
            if row.rating != opinion.rating:
                FEEDBACK.labels(opinion.rating.name.lower()).inc()
            row.rating, row.comment, row.expected = opinion.rating.value, opinion.comment, opinion.expected
            row.updated_at = utc_now()
            session.add(row)
            session.commit()
        return row


def _require_answer(session: Session, organization_id: UUID, message_id: UUID) -> None:
    found = session.exec(
        select(Message.id)
        .join(Conversation, col(Conversation.id) == col(Message.conversation_id))
        .where(
            Message.id == message_id,
            Message.role == Role.ASSISTANT.value,
            Message.organization_id == organization_id,
            col(Conversation.deleted_at).is_(None),
        )
    ).one_or_none()
    if found is None:
        raise NotFound(
            f"There is no answer {message_id}. Send the message_id that came with the answer.", code="answer_not_found"
        )
