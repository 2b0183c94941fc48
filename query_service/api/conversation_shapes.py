"""The shapes of conversations, messages and feedback."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from query_service.api.schemas import Strict, Text, User, without_controls
from query_service.conversations.feedback import Opinion
from query_service.conversations.tables import Conversation, Feedback, Message, Rating
from query_service.events import Timings, Usage
from shared.models import Citation

RATINGS = {"up": Rating.UP, "down": Rating.DOWN, 1: Rating.UP, -1: Rating.DOWN}

Written = Annotated[Text, AfterValidator(without_controls)]
Title = Annotated[Written, Field(max_length=500, description="Shown in lists; cut at a word after 80 characters.")]
Remark = Annotated[Written | None, Field(max_length=4000)]


class NewConversation(Strict):
    title: Title = ""
    user: User = None


class ConversationChange(Strict):
    title: Annotated[Title, Field(min_length=1, pattern=r"\S")]


class ConversationView(BaseModel):
    id: UUID
    title: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Conversation) -> "ConversationView":
        return cls(**row.model_dump(include=set(cls.model_fields)))


class ConversationList(BaseModel):
    items: list[ConversationView]
    next_cursor: str | None


class GivenFeedback(Strict):
    """What a visitor thinks of an answer; sent again, it replaces what he said before."""

    rating: Literal["up", "down", 1, -1]
    comment: Remark = None
    expected: Remark = Field(None, description="What the answer should have been.")
    user: User = None

    def meaning(self) -> Opinion:
        return Opinion(RATINGS[self.rating], self.comment, self.expected)


class FeedbackView(BaseModel):
    rating: Literal["up", "down"]
    comment: str | None
    expected: str | None
    updated_at: datetime

    @classmethod
    def of(cls, row: Feedback) -> "FeedbackView":
        rating: Literal["up", "down"] = "up" if row.rating == Rating.UP else "down"
        return cls(rating=rating, comment=row.comment, expected=row.expected, updated_at=row.updated_at)


class MessageView(BaseModel):
    """A question (`role` user: the fields from `grounded` on are empty) or an answer."""

    id: UUID
    role: str
    content: str
    standalone_question: str | None
    created_at: datetime
    grounded: bool | None
    reason: str | None
    citations: list[Citation] | None
    model: str | None
    usage: Usage | None
    timings_ms: Timings | None
    feedback: list[FeedbackView] = []

    @classmethod
    def of(cls, row: Message, feedback: list[Feedback]) -> "MessageView":
        fields = row.model_dump(include=set(cls.model_fields))
        return cls.model_validate({**fields, "feedback": [FeedbackView.of(one) for one in feedback]})


class MessageList(BaseModel):
    items: list[MessageView]
    next_cursor: str | None
