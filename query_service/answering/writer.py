"""Who writes the answer: the language model if there is one, the documents' own sentences, or a refusal."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from query_service.answering import wording
from query_service.answering.draft import Draft
from query_service.answering.protocol import Answerer, Silent
from query_service.answering.safe_text import quoted
from query_service.events import Delta, Reason, Sentence, Usage
from query_service.evidence import Evidence
from query_service.llm.route import Route
from query_service.pending import PendingDocuments
from query_service.words.small_talk import small_talk

NEAREST = 2
"""Titles that a refusal names."""


class Writer:
    """Fills a draft while yielding its text."""

    def __init__(self, extractive: Answerer, llm: Answerer | None, pending: PendingDocuments) -> None:
        self._extractive = extractive
        self._llm = llm
        self._pending = pending
        self.expected_model = (llm or extractive).model

    async def write(self, evidence: Evidence, draft: Draft, credential: Mapping[str, str]) -> AsyncGenerator[str, None]:
        """The text in pieces. The language model is not asked when there is nothing to show it."""
        if self._llm is None or evidence.verdict.reason is Reason.NO_EVIDENCE:
            writing = self._from_documents(evidence, draft, credential)
        else:
            writing = self._from_llm(self._llm, evidence, draft, credential)
        async with aclosing(writing) as texts:
            async for text in texts:
                draft.text += text
                yield text
        draft.text = draft.text.strip()

    async def _from_llm(
        self, llm: Answerer, evidence: Evidence, draft: Draft, credential: Mapping[str, str]
    ) -> AsyncGenerator[str, None]:
        try:
            async with aclosing(self._run(llm, evidence, draft)) as texts:
                async for text in texts:
                    yield text
        except Silent:
            yield wording.llm_silent(evidence.request.language, refused=evidence.verdict.reason is not None) + " "
            async with aclosing(self._from_documents(evidence, draft, credential)) as texts:
                async for text in texts:
                    yield text
            draft.reason = Reason.LLM_UNAVAILABLE
            return
        if draft.grounded:
            return
        draft.reason = Reason.NO_EVIDENCE
        if not draft.wholly_supported:
            yield " " + wording.unconfirmed(evidence.request.language)
        # The passages were poor and the model saw it: a document on its way may change that.
        if evidence.verdict.reason and (pending := await self._pending.names(credential)):
            draft.reason = Reason.PENDING_DOCUMENTS
            yield " " + wording.still_reading(pending, evidence.request.language)

    async def _from_documents(
        self, evidence: Evidence, draft: Draft, credential: Mapping[str, str]
    ) -> AsyncGenerator[str, None]:
        if evidence.verdict.reason is None:
            async with aclosing(self._run(self._extractive, evidence, draft)) as texts:
                async for text in texts:
                    yield text
            return
        draft.model = self._extractive.model
        draft.refused = True
        if talk := small_talk(evidence.request.question):
            draft.reason = Reason.NO_EVIDENCE
            yield wording.courtesy(*talk)
            return
        pending = await self._pending.names(credential)
        draft.reason = Reason.PENDING_DOCUMENTS if pending else evidence.verdict.reason
        if evidence.verdict.near and not pending:
            yield wording.nearest_passage(evidence.request.language) + " "
            async with aclosing(self._run(self._extractive, evidence, draft)) as texts:
                async for text in texts:
                    yield text
            return
        nearest = dict.fromkeys(quoted(passage.chunk.title) for passage in evidence.passages)
        known = evidence.verdict.reason is Reason.LOW_SCORE
        yield wording.refusal(
            draft.reason,
            evidence.request.language,
            nearest=list(nearest)[:NEAREST] if known else (),
            pending=pending,
            empty=evidence.corpus_empty,
        )

    async def _run(self, answerer: Answerer, evidence: Evidence, draft: Draft) -> AsyncGenerator[str, None]:
        draft.model = answerer.model
        begin = len(draft.text)
        async with aclosing(answerer.answer(evidence.request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Delta):
                    yield piece.text
                elif isinstance(piece, Usage):
                    draft.usage = piece
                elif isinstance(piece, Route):
                    draft.route = piece
                elif isinstance(piece, Sentence):
                    place = {"start": piece.start + begin, "end": piece.end + begin}
                    draft.sentences.append(piece.model_copy(update=place))
                else:
                    draft.citations.append(piece)
