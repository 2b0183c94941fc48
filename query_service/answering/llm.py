"""Answering with a language model: a prompt out, its stream in, its citations checked against the passages."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from query_service.answering.citations import Citer, MarkerFilter
from query_service.answering.prompt import build_prompt
from query_service.answering.protocol import AnswerRequest, Silent
from query_service.events import Delta, Usage
from query_service.llm.budget import Window
from query_service.llm.protocol import Llm, LlmFailed
from shared.errors import Unavailable
from shared.models import Citation


class LlmAnswerer:
    """`Answerer` over any `Llm`; the deadlines are the model's own (llm/guarded.py)."""

    def __init__(self, llm: Llm, citer: Citer, window: Window) -> None:
        self.model = llm.model
        self._llm = llm
        self._citer = citer
        self._window = window

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[Delta | Citation | Usage, None]:
        markers = MarkerFilter(len(request.passages))
        said: list[str] = []
        usage = Usage()
        spoke = False
        try:
            async with aclosing(self._llm.stream(build_prompt(request, self._window))) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Usage):
                        usage = piece
                        continue
                    spoke = True
                    if text := markers.feed(piece):
                        said.append(text)
                        yield Delta(text=text)
        except LlmFailed as error:
            if not spoke:
                raise Silent(error.kind) from error
            raise interrupted() from error
        if rest := markers.rest():
            said.append(rest)
            yield Delta(text=rest)
        for citation in await asyncio.to_thread(self._citer.support, "".join(said), request.passages):
            yield citation
        yield usage


def interrupted() -> Unavailable:
    return Unavailable(
        "The language model stopped in the middle of its answer. Ask again; if it happens often, look at the "
        "server behind LLM__BASE_URL or allow it more time with LLM__TIMEOUT_S.",
        code="llm_interrupted",
        retry_after=5,
    )
