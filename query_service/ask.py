"""The story of a question: history -> stand-alone question -> retrieve -> verdict -> answer -> cite -> keep.

One generator of events; the JSON answer and the stream are two renderings of it.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import UUID

from query_service.answering.draft import Draft
from query_service.answering.speech import spoken
from query_service.answering.writer import Writer
from query_service.conversations.rewriting import Rewriter
from query_service.conversations.store import Conversations
from query_service.conversations.visitor import NOBODY
from query_service.events import Delta, Done, Event, Meta, Timings, sources_of
from query_service.evidence import EvidenceFinder
from shared.models import Filters
from shared.observability.metrics import ANSWERS, ASK_STAGE_SECONDS


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, for whom, and of which documents."""

    organization_id: UUID
    text: str
    top_k: int
    conversation_id: UUID | None = None
    visitor: str = NOBODY
    """As `conversations.visitor.visitor_of` names whoever asks."""
    filters: Filters = field(default_factory=Filters)
    credential: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The caller's key header, shown to the ingest service when it is asked what is pending."""


class Asker:
    """Answers questions. Holds no state of its own; many questions may run at the same time."""

    def __init__(
        self,
        conversations: Conversations,
        rewriter: Rewriter,
        finder: EvidenceFinder,
        writer: Writer,
        *,
        ingest_url: str,
    ) -> None:
        self._conversations = conversations
        self._rewriter = rewriter
        self._finder = finder
        self._writer = writer
        self._ingest_url = ingest_url

    async def ask(self, question: Question) -> AsyncGenerator[Event, None]:
        """`Meta Sources Delta* Citation* Usage Done`.

        Raises `NotFound` before the first event for an unknown conversation, and `Unavailable` at any point.
        Closing the generator stops everything, the language model included; the answer is then not kept.
        """
        begun = time.perf_counter()
        opened = await asyncio.to_thread(
            self._conversations.open,
            question.organization_id,
            question.conversation_id,
            question.text,
            question.visitor,
        )
        standalone = await self._rewriter.rewrite(question.text, opened.history)
        yield Meta(
            conversation_id=opened.conversation_id,
            message_id=opened.message_id,
            model=self._writer.expected_model,
            standalone_question=standalone,
        )
        understood = time.perf_counter()
        evidence = await self._finder.find(
            question.organization_id,
            question.text,
            opened.history,
            question.top_k,
            question.filters,
            standalone=standalone,
        )
        found = time.perf_counter()
        yield sources_of(evidence.passages, self._ingest_url)

        draft = Draft()
        async with aclosing(self._writer.write(evidence, draft, question.credential)) as texts:
            async for text in texts:
                yield Delta(text=text)
        for citation in draft.citations:
            yield citation
        yield draft.usage

        written = time.perf_counter()
        ASK_STAGE_SECONDS.labels("understand").observe(understood - begun)
        ASK_STAGE_SECONDS.labels("retrieve").observe(found - understood)
        ASK_STAGE_SECONDS.labels("answer").observe(written - found)
        done = Done(
            answer=draft.text,
            grounded=draft.grounded,
            reason=draft.reason,
            citations=tuple(draft.citations),
            sentences=tuple(draft.sentences),
            conversation_id=opened.conversation_id,
            message_id=opened.message_id,
            model=draft.model,
            usage=draft.usage,
            timings_ms=Timings(
                understand=_ms(understood - begun),
                retrieve=_ms(found - understood),
                answer=_ms(written - found),
                total=_ms(time.perf_counter() - begun),
            ),
            speech=spoken(draft.text),
            standalone_question=standalone,
        )
        await asyncio.to_thread(self._conversations.answered, question.organization_id, opened.question_id, done)
        ANSWERS.labels(done.model, str(done.grounded).lower(), done.reason or "").inc()
        yield done

    async def answer(self, question: Question) -> Done:
        """The whole answer at once: the last event of `ask`."""
        async with aclosing(self.ask(question)) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event
        raise AssertionError("ask() ends with Done or raises")


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
