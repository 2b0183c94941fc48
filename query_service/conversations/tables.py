"""Conversations, their messages, what visitors thought of answers and which model gave them. Only this service reads
these tables."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index
from sqlmodel import Field

from query_service.conversations.visitor import NOBODY
from shared.db.rows import OwnedRow, utc_field


class Role(StrEnum):
    USER = "user"
    """A question, as it was asked."""
    ASSISTANT = "assistant"
    """An answer, as it was given; absent when answering failed or the client went away."""


class Rating(IntEnum):
    UP = 1
    """It helped."""
    DOWN = -1
    """It was wrong, beside the point, or a refusal of what the documents answer."""


class Conversation(OwnedRow, table=True):
    """A series of questions and answers; without a title of its own it has the first question's, cut."""

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_visitor", "organization_id", "visitor"),)

    title: str
    visitor: str = NOBODY
    summary: str = ""
    """What was said in the messages up to `summarised_until`; empty while they are few."""
    summarised_until: datetime | None = utc_field(nullable=True)
    updated_at: datetime = utc_field()
    deleted_at: datetime | None = utc_field(nullable=True)


class Message(OwnedRow, table=True):
    """A question or an answer. The columns from `citations` on are empty for questions."""

    __tablename__ = "messages"

    conversation_id: UUID = Field(foreign_key="conversations.id", index=True)
    role: str
    content: str
    standalone_question: str | None = None
    """What was searched for, where a question needed the ones before it to be understood; empty for answers."""
    citations: list[dict[str, Any]] | None = Field(default=None, sa_type=JSON)
    grounded: bool | None = None
    reason: str | None = None
    model: str | None = None
    usage: dict[str, int] | None = Field(default=None, sa_type=JSON)
    timings_ms: dict[str, float] | None = Field(default=None, sa_type=JSON)


class Feedback(OwnedRow, table=True):
    """What one visitor thought of one answer; the latest word counts."""

    __tablename__ = "feedback"
    __table_args__ = (Index("uq_feedback_message_visitor", "message_id", "visitor", unique=True),)

    message_id: UUID = Field(foreign_key="messages.id", index=True)
    visitor: str = NOBODY
    rating: int
    comment: str | None = None
    expected: str | None = None
    """What the answer should have been, in the visitor's words."""
    updated_at: datetime = utc_field()


class RoutingDecision(OwnedRow, table=True):
    """Who wrote one answer, or failed to: written whenever a language model was asked for it."""

    __tablename__ = "routing_decisions"
    __table_args__ = (Index("ix_routing_decisions_created_at", "created_at"),)

    conversation_id: UUID | None = Field(default=None, foreign_key="conversations.id", index=True)
    """Empty, as the message, for questions whose conversation the caller keeps himself."""
    message_id: UUID | None = Field(default=None, index=True)
    """The answer's; there is no such message when the model broke off or the caller hung up."""
    asked_model: str
    """LLM__MODEL."""
    model: str = ""
    """The provider's name of the model that answered; empty where the server does not tell, as for the next two."""
    tier: str = ""
    """The proxy's name of it."""
    fallbacks: int = 0
    outcome: str
    """`answered`, `client_gone` (the caller hung up first), or the kind of failure (query_service/llm/protocol.py)."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    first_token_ms: float | None = None
    """Until the first word, tries that failed included."""
    total_ms: float
