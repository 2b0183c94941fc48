"""The story of a question: history -> stand-alone question -> given before? -> retrieve -> verdict -> answer -> keep.

One generator of events; the JSON answer and the stream are two renderings of it.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

from query_service.answer_cache.protocol import KeptAnswer
from query_service.answer_cache.recall import Recall
from query_service.answering.draft import Draft
from query_service.answering.speech import spoken
from query_service.answering.writer import Writer
from query_service.conversations.afterwork import Afterwork
from query_service.conversations.memory import Memory
from query_service.conversations.past import Past
from query_service.conversations.rewriting import Rewriter
from query_service.conversations.routing import RoutingBook
from query_service.conversations.store import HISTORY_MESSAGES, Conversations, Opened
from query_service.conversations.summary import Summariser
from query_service.events import Delta, Done, Event, Meta, Sources, Timings, sources_of
from query_service.evidence import EvidenceFinder
from query_service.question import Question
from query_service.words.language import language_of
from shared.observability.logs import identify
from shared.observability.metrics import ANSWERS, ASK_STAGE_SECONDS
from shared.observability.slow import tell_if_slow
from shared.observability.traces import span


class Asker:
    """Answers questions. Holds no state of its own; many questions may run at the same time."""

    def __init__(
        self,
        conversations: Conversations,
        rewriter: Rewriter,
        recall: Recall,
        finder: EvidenceFinder,
        writer: Writer,
        *,
        summariser: Summariser,
        memory: Memory | None,
        routes: RoutingBook,
        afterwork: Afterwork,
        ingest_url: str,
        slow_ms: float,
    ) -> None:
        self._conversations = conversations
        self._rewriter = rewriter
        self._recall = recall
        self._finder = finder
        self._writer = writer
        self._summariser = summariser
        self._memory = memory
        self._routes = routes
        self._afterwork = afterwork
        self._ingest_url = ingest_url
        self._slow_ms = slow_ms

    async def ask(self, question: Question) -> AsyncGenerator[Event, None]:
        """`Meta Sources Delta* Citation* Usage Done`.

        Raises `NotFound` before the first event for an unknown conversation, and `Unavailable` at any point.
        Closing the generator stops everything, the language model included; the answer is then not kept.
        """
        begun = time.perf_counter()
        with span("understand"):
            opened = await self._open(question)
            if question.told is None:
                identify(conversation_id=str(opened.conversation_id))
            remembered = await self._memory.recall(question) if self._memory else ()
            past = Past(opened.history, opened.summary, remembered)
            standalone = await self._rewriter.rewrite(question.text, past)
        yield Meta(
            conversation_id=opened.conversation_id,
            message_id=opened.message_id,
            model=self._writer.expected_model,
            standalone_question=standalone,
        )
        understood = time.perf_counter()
        key = await self._recall.key(question, follow_up=bool(past))
        kept = await self._recall.find(key, question.organization_id)
        draft = kept.draft if kept else Draft()
        telling = _again(kept) if kept else self._anew(question, opened, past, standalone, draft=draft, key=key)
        found = understood
        async with aclosing(telling) as events:
            async for event in events:
                if isinstance(event, Sources):
                    found = time.perf_counter()
                yield event
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
            speech=spoken(draft.text, language_of(standalone or question.text)),
            cached=kept is not None,
            standalone_question=standalone,
        )
        if question.told is None:
            await self._keep(question, opened, done)
        ANSWERS.labels(done.model, str(done.grounded).lower(), done.reason or "").inc()
        stages = done.timings_ms.model_dump(exclude={"total"})
        tell_if_slow("slow_question", done.timings_ms.total, self._slow_ms, **stages, model=done.model)
        yield done

    async def _open(self, question: Question) -> Opened:
        if question.told is not None:
            return Opened(uuid4(), uuid4(), uuid4(), question.told[-HISTORY_MESSAGES:])
        return await asyncio.to_thread(
            self._conversations.open,
            question.organization_id,
            question.conversation_id,
            question.text,
            question.visitor,
        )

    async def _keep(self, question: Question, opened: Opened, done: Done) -> None:
        with span("keep"):
            await asyncio.to_thread(self._conversations.answered, question.organization_id, opened.question_id, done)
        self._afterwork.start("summary", self._summariser.run(opened.conversation_id))
        if self._memory:
            self._afterwork.start("memory", self._memory.remember(question, done))

    async def _anew(
        self, question: Question, opened: Opened, past: Past, standalone: str | None, *, draft: Draft, key: str | None
    ) -> AsyncGenerator[Sources | Delta, None]:
        """Passages, and the answer that is written from them into `draft`."""
        with span("retrieve"):
            evidence = await self._finder.find(
                question.organization_id,
                question.text,
                past.history,
                question.top_k,
                question.filters,
                standalone=standalone,
            )
        sources = sources_of(evidence.passages, self._ingest_url)
        yield sources
        evidence = evidence.after(past.summary, past.remembered)
        try:
            async with aclosing(self._writer.write(evidence, draft, question.credential)) as texts:
                async for text in texts:
                    yield Delta(text=text)
        finally:  # a model that broke off is part of the book, and a caller who hung up
            if draft.route:
                place = opened if question.told is None else None
                self._routes.enter(question.organization_id, place, draft.route)
        await self._recall.keep(key, sources, draft)

    async def answer(self, question: Question) -> Done:
        """The whole answer at once: the last event of `ask`."""
        async with aclosing(self.ask(question)) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event
        raise AssertionError("ask() ends with Done or raises")


async def _again(kept: KeptAnswer) -> AsyncGenerator[Sources | Delta, None]:
    """What was told before, in the same order."""
    yield kept.sources
    yield Delta(text=kept.draft.text)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
