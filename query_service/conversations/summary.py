"""Old messages of a long conversation as one short text, so that a prompt never grows with the conversation."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session

from query_service.conversations.store import Turn, unsummarised
from query_service.conversations.tables import Conversation, Message, Role
from query_service.conversations.transcript import one_line, transcript
from query_service.llm import prompts
from query_service.llm.complete import complete
from query_service.llm.protocol import ChatMessage, Llm, LlmFailed
from shared.observability.logs import get_logger

log = get_logger(__name__)

DUE_MESSAGES, KEPT_MESSAGES = 12, 6
"""When so many messages are in no summary, all but the last ones are taken into it."""
AT_ONCE = 40
"""Messages taken in at a time; a conversation from before there were summaries catches up answer by answer."""
TURN_CHARS = 500
MAX_TOKENS, DEADLINE_S = 250, 30.0
MAX_CHARS, FIRST_CHARS = 1500, 500
"""Of a summary, and of its beginning, which is kept when the middle is dropped: where a conversation began is asked for
more often than how it went on."""


@dataclass(frozen=True, slots=True)
class _Due:
    summary: str
    turns: tuple[Turn, ...]
    until: datetime


class Summariser:
    """Keeps the summaries of conversations up to date: by the language model, else as the list of what was asked."""

    def __init__(self, engine: Engine, llm: Llm | None) -> None:
        self._engine = engine
        self._llm = llm
        self._under_way: set[UUID] = set()

    async def run(self, conversation_id: UUID) -> None:
        """Take old messages into the summary, if it is time. Safe to repeat; one at a time for a conversation."""
        if conversation_id in self._under_way:
            return
        self._under_way.add(conversation_id)
        try:
            await self._run(conversation_id)
        finally:
            self._under_way.remove(conversation_id)

    async def _run(self, conversation_id: UUID) -> None:
        due = await asyncio.to_thread(self._due, conversation_id)
        if due is not None:
            text = await self._by_model(due) or _by_words(due)
            await asyncio.to_thread(self._keep, conversation_id, _shortened(text), due.until)

    async def _by_model(self, due: _Due) -> str:
        if self._llm is None:
            return ""
        asked = prompts.SUMMARISE.format(summary=one_line(due.summary), turns=transcript(due.turns, TURN_CHARS))
        messages = [ChatMessage("system", prompts.SUMMARISE_RULES), ChatMessage("user", asked)]
        try:
            return await complete(self._llm, messages, max_tokens=MAX_TOKENS, deadline_s=DEADLINE_S)
        except LlmFailed as error:
            log.warning("conversation_not_summarised", kind=error.kind)
            return ""

    def _due(self, conversation_id: UUID) -> _Due | None:
        with Session(self._engine) as session:
            conversation = session.get_one(Conversation, conversation_id)
            rows = session.exec(unsummarised(conversation).limit(AT_ONCE)).all()
            if len(rows) < DUE_MESSAGES:
                return None
            old = rows[:-KEPT_MESSAGES]
            return _Due(conversation.summary, _turns(old), old[-1].created_at)

    def _keep(self, conversation_id: UUID, summary: str, until: datetime) -> None:
        with Session(self._engine) as session:
            conversation = session.get_one(Conversation, conversation_id)
            conversation.summary, conversation.summarised_until = summary, until
            session.add(conversation)
            session.commit()


def _turns(rows: Sequence[Message]) -> tuple[Turn, ...]:
    return tuple(Turn(role=Role(row.role), content=row.content) for row in rows)


def _by_words(due: _Due) -> str:
    asked = [" ".join(turn.content.split()) for turn in due.turns if turn.role is Role.USER]
    return " ".join(filter(None, [due.summary, *asked]))


def _shortened(text: str) -> str:
    if len(text) <= MAX_CHARS:
        return text
    begun, recent = text[:FIRST_CHARS], text[-(MAX_CHARS - FIRST_CHARS - 3) :]
    return f"{begun.rpartition(' ')[0]} … {recent.partition(' ')[2]}"
