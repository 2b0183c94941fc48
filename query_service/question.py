"""A question, as the routes hand it on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from query_service.conversations.store import Turn
from query_service.conversations.visitor import NOBODY
from shared.models import Filters


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, for whom, and of which documents."""

    organization_id: UUID
    text: str
    top_k: int
    conversation_id: UUID | None = None
    visitor: str = NOBODY
    """As `conversations.visitor.visitor_of` names whoever asks."""
    told: tuple[Turn, ...] | None = None
    """What was said before, from clients that keep their conversations themselves: then nothing is kept here."""
    filters: Filters = field(default_factory=Filters)
    credential: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The caller's key header, shown to the ingest service when it is asked what is pending."""
