"""Conversations and their messages. Only this service reads these tables."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON
from sqlmodel import Field

from shared.db.rows import OwnedRow, utc_field


class Role(StrEnum):
    USER = "user"
    """A question, as it was asked."""
    ASSISTANT = "assistant"
    """An answer, as it was given; absent when answering failed or the client went away."""


class Conversation(OwnedRow, table=True):
    """A series of questions and answers; its title is the first question, cut."""

    __tablename__ = "conversations"

    title: str
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
