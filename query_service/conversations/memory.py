"""What one visitor asked in earlier conversations, found again by its words: never evidence, never another visitor's.

Each question is a chunk of a collection of its own, its document being the conversation. By words alone: they need no
model, so no change of model ever makes a visitor forgotten. Answers are not remembered: what a document said must not
outlive it.
"""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from threading import Lock
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from query_service.conversations.tables import Conversation
from query_service.conversations.visitor import NOBODY
from query_service.events import Done
from query_service.question import Question
from query_service.turns import Turns
from shared.db.rows import utc_now
from shared.embeddings.lexical import LexicalEncoder
from shared.errors import XgtwinError
from shared.models import Chunk, Filters, Labels
from shared.observability.logs import get_logger
from shared.observability.metrics import MEMORY_FAILURES
from shared.vector_store.protocol import EmbeddedChunk, SearchRequest, VectorStore

log = get_logger(__name__)

COLLECTION = "conversation_contexts"
NOTES = 3
CANDIDATES = 12
"""Questions looked at, so that some are left without those of this conversation and of deleted ones."""
DEADLINE_S = 2.0
VERSION = 1
"""Of every question: publishing a conversation again adds to it."""
PURGED_DAYS = 30
"""Of conversations that became too old. What a service missed by standing still for longer stays, unrecalled."""
_VISITOR = "visitor"


class Memory:
    """Opens its collection when the first visitor is named. Its failures are counted and logged and cost no answer."""

    def __init__(
        self, engine: Engine, open_collection: Callable[[], VectorStore], encoder: LexicalEncoder, *, days: int
    ) -> None:
        self._engine = engine
        self._open_collection = open_collection
        self._encoder = encoder
        self._days = days
        self._purged: date | None = None
        self._turns = Turns(deadline_s=DEADLINE_S)
        self._lock = Lock()
        self._opened: VectorStore | None = None

    async def recall(self, question: Question) -> tuple[str, ...]:
        """What this visitor asked before that is nearest, best first; nothing of this conversation."""
        if question.visitor == NOBODY:
            return ()
        try:
            return await self._turns.run(lambda: self._recall(question))
        except (XgtwinError, OSError, SQLAlchemyError) as error:
            MEMORY_FAILURES.labels("recall").inc()
            log.warning("nothing_recalled", error=type(error).__name__)
            return ()

    async def remember(self, question: Question, done: Done) -> None:
        """Keep a question that had an answer, and once a day drop what is too old. Raises `Unavailable`; safe to
        repeat.
        """
        if question.visitor != NOBODY and done.grounded:
            await asyncio.to_thread(self._remember, question, done)
            if self._purged != (today := utc_now().date()):
                self._purged = today
                await asyncio.to_thread(self._purge)

    def forget(self, organization_id: UUID, conversation_id: UUID) -> None:
        """Drop a conversation's questions. They are not recalled any more even where this fails."""
        try:
            self._store().delete(organization_id, conversation_id)
        except (XgtwinError, OSError) as error:
            MEMORY_FAILURES.labels("forget").inc()
            log.warning("not_forgotten", conversation_id=str(conversation_id), error=type(error).__name__)

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()

    def _store(self) -> VectorStore:
        with self._lock:
            if self._opened is None:
                self._opened = self._open_collection()
            return self._opened

    def _recall(self, question: Question) -> tuple[str, ...]:
        found = self._store().search(
            SearchRequest(
                organization_id=question.organization_id,
                lex=self._encoder.question(question.text),
                limit=CANDIDATES,
                filters=Filters(metadata={_VISITOR: (question.visitor,)}, date_from=self._since().date()),
            )
        )
        others = [hit.chunk for hit in found if hit.chunk.document_id != question.conversation_id]
        live = self._live({chunk.document_id for chunk in others})
        return tuple(chunk.text for chunk in others if chunk.document_id in live)[:NOTES]

    def _remember(self, question: Question, done: Done) -> None:
        text = " ".join((done.standalone_question or question.text).split())
        chunk = Chunk(
            id=done.message_id,
            organization_id=question.organization_id,
            document_id=done.conversation_id,
            version=VERSION,
            filename="",
            title="",
            index=0,
            text=text,
            start=0,
            end=len(text),
        )
        labels = Labels(day=utc_now().date(), metadata={_VISITOR: question.visitor})
        store = self._store()
        store.upsert([EmbeddedChunk(chunk, self._encoder.passage(text), labels=labels)])
        store.publish(question.organization_id, done.conversation_id, VERSION)
        if not self._live({done.conversation_id}):  # deleted while its answer was written
            store.delete(question.organization_id, done.conversation_id)

    def _purge(self) -> None:
        """Drop the questions of conversations that nobody went on with for so long."""
        old = select(Conversation.organization_id, Conversation.id).where(
            Conversation.visitor != NOBODY,
            col(Conversation.updated_at) < self._since(),
            col(Conversation.updated_at) >= self._since() - timedelta(days=PURGED_DAYS),
        )
        with Session(self._engine) as session:
            found = session.exec(old).all()
        for organization_id, conversation_id in found:
            self._store().delete(organization_id, conversation_id)

    def _since(self) -> datetime:
        return utc_now() - timedelta(days=self._days)

    def _live(self, conversations: set[UUID]) -> set[UUID]:
        wanted = select(Conversation.id).where(
            col(Conversation.id).in_(conversations), col(Conversation.deleted_at).is_(None)
        )
        with Session(self._engine) as session:
            return set(session.exec(wanted))
