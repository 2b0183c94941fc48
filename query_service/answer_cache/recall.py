"""Which answers are given again: those of first questions, with proof, while everything they rest on is the same."""

import asyncio
import hashlib
import json
import unicodedata
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Engine

from query_service.answer_cache.protocol import AnswerCache, KeptAnswer
from query_service.answering.draft import Draft
from query_service.conversations.feedback import FeedbackBook
from query_service.events import Sources, Usage
from query_service.question import Question
from shared.db.corpus import corpus_version
from shared.observability.metrics import ANSWER_CACHE


class Recall:
    """Finds and keeps answers; nothing without a cache.

    An answer that somebody rated down is not given again. `made_by` names all else that an answer depends on at the
    moment: models, prompts, settings, release, vectors.
    """

    def __init__(
        self, engine: Engine, cache: AnswerCache | None, book: FeedbackBook, *, made_by: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._book = book
        self._made_by = made_by

    async def key(self, question: Question, *, follow_up: bool) -> str | None:
        """What the answer is kept under; None for what is not kept: what was said before changes what an answer says.

        To be made before passages are retrieved: documents may change meanwhile. Capitals stay: `NAS` is an acronym
        and `nas` is not.
        """
        if self._cache is None or follow_up:
            return None
        version = await asyncio.to_thread(corpus_version, self._engine, question.organization_id)
        asked = " ".join(unicodedata.normalize("NFC", question.text).split())
        filters = question.filters.model_dump(mode="json")
        parts = [self._made_by(), str(question.organization_id), version, asked, question.top_k, filters]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    async def find(self, key: str | None, organization_id: UUID) -> KeptAnswer | None:
        """An earlier answer; it took no tokens this time."""
        if self._cache is None or key is None:
            return None
        found = await self._cache.get(key)
        if found is not None:
            disliked = await asyncio.to_thread(self._book.disliked, organization_id, found.draft.text)
            found = None if disliked else found
        ANSWER_CACHE.labels("hit" if found else "miss").inc()
        return found and KeptAnswer(found.sources, replace(deepcopy(found.draft), usage=Usage()))

    async def keep(self, key: str | None, sources: Sources, draft: Draft) -> None:
        """Keep an answer, if it is one: refusals are cheap, and what is pending or out of order passes.

        A doubtful sentence is not repeated to the next visitor: the model may not say it again.
        """
        sound = draft.grounded and draft.wholly_supported and draft.reason is None
        if self._cache is not None and key is not None and sound:
            await self._cache.put(key, KeptAnswer(sources, replace(deepcopy(draft), route=None)))
