"""Answering with a language model: a prompt out, its stream in, its citations and sentences checked."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from query_service.answering.citations import Citer
from query_service.answering.model_text import ModelText
from query_service.answering.prompt import build_prompt
from query_service.answering.protocol import AnswerRequest, Piece, Silent
from query_service.answering.support import SupportChecker
from query_service.events import Delta, Sentence
from query_service.llm.budget import Window
from query_service.llm.protocol import CutShort, Llm, LlmFailed
from query_service.llm.route import Route
from query_service.words.language import language_of
from shared.errors import Unavailable
from shared.models import Citation
from shared.observability.logs import get_logger
from shared.observability.metrics import LLM_WRONG_LANGUAGE, UNSUPPORTED_SENTENCES

log = get_logger(__name__)


class LlmAnswerer:
    """`Answerer` over any `Llm`; the deadlines are the model's own (llm/guarded.py)."""

    def __init__(self, llm: Llm, citer: Citer, checker: SupportChecker, window: Window) -> None:
        self.model = llm.model
        self._llm = llm
        self._citer = citer
        self._checker = checker
        self._window = window

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[Piece, None]:
        text, route, cut = ModelText(request.passages), Route(self.model), False
        yield route  # at once: nothing can be told any more when the caller hangs up
        try:
            async with aclosing(self._llm.stream(build_prompt(request, self._window))) as pieces:
                async for piece in pieces:
                    route.note(piece)
                    if isinstance(piece, CutShort):
                        cut = True
                    elif isinstance(piece, str) and (shown := text.feed(piece)):
                        yield Delta(text=shown)
        except LlmFailed as error:
            route.end(error.kind)
            if not text.said:  # what may have come is still held back
                raise Silent(error.kind) from error
            raise Unavailable(
                "The language model stopped in the middle of its answer. Ask again; if it happens often, look at the "
                "server behind LLM__BASE_URL or allow it more time with LLM__TIMEOUT_S.",
                code="llm_interrupted",
                retry_after=5,
                extensions={"partial": text.said},
            ) from error
        except (GeneratorExit, asyncio.CancelledError):
            route.end("client_gone")
            raise
        if shown := text.rest():
            yield Delta(text=shown)
        if not text.said:
            route.end("empty")
            raise Silent("empty")
        cut = cut and not text.ended
        if cut:
            yield Delta(text="…")
        route.end("answered")
        sentences, citations = await asyncio.to_thread(self._checked, text.said, cut, request)
        for sentence in sentences:
            yield sentence
        for citation in citations:
            yield citation
        yield route.usage

    def _checked(self, said: str, cut: bool, request: AnswerRequest) -> tuple[list[Sentence], list[Citation]]:
        said = f"{said}…" if cut else said
        sentences = self._checker.check(said, request)
        if cut and sentences:  # nobody knows what the last one was going to say
            sentences[-1] = sentences[-1].model_copy(update={"supported": False})
        UNSUPPORTED_SENTENCES.inc(sum(not sentence.supported for sentence in sentences))
        if language_of(said) != request.language:
            LLM_WRONG_LANGUAGE.inc()
            log.info("llm_answered_in_another_language", model=self.model, wanted=request.language)
        return sentences, self._citer.support(said, request.passages)
