"""Answering with a language model: a prompt out, its stream in, its citations checked against the passages."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from query_service.answering.citations import Citer, MarkerFilter
from query_service.answering.prompt import build_prompt
from query_service.answering.protocol import AnswerRequest, Silent
from query_service.events import Delta, Usage
from query_service.llm.protocol import Llm, LlmFailed
from shared.errors import Unavailable
from shared.models import Citation
from shared.observability.logs import get_logger
from shared.observability.metrics import LLM_FAILURES

log = get_logger(__name__)


class LlmAnswerer:
    """`Answerer` over any `Llm`, with a deadline for the first token and one for the whole answer."""

    def __init__(self, llm: Llm, citer: Citer, *, first_token_s: float, timeout_s: float) -> None:
        self.model = llm.model
        self._llm = llm
        self._citer = citer
        self._first_token_s = min(first_token_s, timeout_s)
        self._timeout_s = timeout_s

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[Delta | Citation | Usage, None]:
        markers = MarkerFilter(len(request.passages))
        said: list[str] = []
        usage = Usage()
        async with aclosing(self._pieces(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    usage = piece
                elif text := markers.feed(piece):
                    said.append(text)
                    yield Delta(text=text)
        if rest := markers.rest():
            said.append(rest)
            yield Delta(text=rest)
        for citation in await asyncio.to_thread(self._citer.support, "".join(said), request.passages):
            yield citation
        yield usage

    async def _pieces(self, request: AnswerRequest) -> AsyncGenerator[str | Usage, None]:
        """The model's pieces within the deadlines; its failures as what they mean at this point of the answer."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        deadline, spoke = begun + self._first_token_s, False
        async with aclosing(self._llm.stream(build_prompt(request))) as stream:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        piece = await anext(stream, None)
                except (LlmFailed, TimeoutError) as error:
                    raise self._failure(error.kind if isinstance(error, LlmFailed) else "timeout", spoke) from error
                if piece is None:
                    break
                if not isinstance(piece, Usage) and (spoke or piece.strip()):
                    spoke, deadline = True, begun + self._timeout_s
                elif not isinstance(piece, Usage):
                    continue  # white space before the first word is no answer yet
                yield piece
        if not spoke:
            raise self._failure("empty", spoke)

    def _failure(self, kind: str, spoke: bool) -> Exception:
        LLM_FAILURES.labels(kind).inc()
        log.warning("llm_failed", kind=kind, host=self._llm.host, model=self.model, after_first_token=spoke)
        if not spoke:
            return Silent(kind)
        return Unavailable(
            "The language model stopped in the middle of its answer. Ask again; if it happens often, look at the "
            "server behind LLM__BASE_URL or allow it more time with LLM__TIMEOUT_S.",
            code="llm_interrupted",
            retry_after=5,
        )
