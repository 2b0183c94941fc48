"""`/v1`: this service as a model, for every client that speaks OpenAI's protocol (Open WebUI among them).

The protocol has no conversations: the client sends all that was said each time, and nothing is kept here.
"""

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from sse_starlette import EventSourceResponse, ServerSentEvent

from query_service.api.access import Admit, Allowed, credential_of, key_first
from query_service.api.connection import while_connected
from query_service.api.openai_errors import openai_error
from query_service.api.openai_shapes import (
    MODEL,
    ChatRequest,
    chunk,
    completion,
    proof,
    sources_list,
    usage_chunk,
)
from query_service.api.schemas import cleaned_question
from query_service.api.sse import HEARTBEAT_S
from query_service.ask import Asker
from query_service.conversations.visitor import visitor_of
from query_service.events import Delta, Done, Event, Meta
from query_service.question import Question
from query_service.words.language import Language, language_of
from shared.auth.keys import Principal
from shared.errors import NotFound, XgtwinError
from shared.observability.logs import get_logger
from shared.settings import QuerySettings

log = get_logger(__name__)

SINCE = 1_767_225_600
"""When the model "was created": clients want a number; it is the beginning of 2026."""


def openai_routes(asker: Asker, allowed: Allowed, admit: Admit, settings: QuerySettings) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["openai"], route_class=key_first(allowed))

    @router.get("/models")
    async def models() -> dict[str, Any]:
        """The one model that answers from the documents."""
        return {"object": "list", "data": [_model()]}

    @router.get("/models/{name}")
    async def model(name: str) -> dict[str, Any]:
        _known(name)
        return _model()

    @router.post("/chat/completions", dependencies=[Depends(admit)])
    async def chat(body: ChatRequest, request: Request, principal: Annotated[Principal, Depends(allowed)]) -> Response:
        """Answer the last message from the documents. The proof stands below the text and in `citations`.

        `stream: true` sends chunks, the proof on the last one.
        """
        _known(body.model)
        body.refuse_what_would_be_lost()
        asked, told = body.conversation()
        question = Question(
            organization_id=principal.organization_id,
            text=cleaned_question(asked, settings.max_question_chars, "messages"),
            top_k=settings.top_k,
            visitor=visitor_of(principal.organization_id, body.user),
            told=told,
            credential=credential_of(request),
        )
        created, language = int(time.time()), language_of(question.text)
        if not body.stream:
            done = await while_connected(request, asker.answer(question))
            return JSONResponse(completion(done, created, language))
        events = asker.ask(question)
        meta = await while_connected(request, _first(events))
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        told_events = _chunks(f"chatcmpl-{meta.message_id.hex}", created, language, events, with_usage=with_usage)
        return EventSourceResponse(told_events, ping=HEARTBEAT_S, sep="\n", headers={"X-Accel-Buffering": "no"})

    return router


async def _first(events: AsyncGenerator[Event, None]) -> Meta:
    first = await anext(events)
    assert isinstance(first, Meta)
    return first


async def _chunks(
    answer_id: str, created: int, language: Language, events: AsyncGenerator[Event, None], *, with_usage: bool
) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(events):
        yield _sent(chunk(answer_id, created, {"role": "assistant", "content": ""}))
        try:
            async for event in events:
                if isinstance(event, Delta):
                    yield _sent(chunk(answer_id, created, {"content": event.text}))
                elif isinstance(event, Done):
                    if listed := sources_list(event.citations, language):
                        yield _sent(chunk(answer_id, created, {"content": listed}))
                    yield _sent({**chunk(answer_id, created, {}, "stop"), **proof(event)})
                    if with_usage:
                        yield _sent(usage_chunk(answer_id, created, event.usage))
        except XgtwinError as error:
            log.warning("stream_failed", code=error.code, detail=error.detail)
            yield _sent(openai_error(error.status, error.detail, error.code))
        except Exception as error:  # the status is sent already: this is all that can still be said
            log.error("unexpected_error", path="/v1/chat/completions", exc_info=error)
            yield _sent(openai_error(500, "Something failed here that we did not foresee.", XgtwinError.code))
        yield ServerSentEvent("[DONE]", sep="\n")


def _sent(body: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(body, ensure_ascii=False, separators=(",", ":")), sep="\n")


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": SINCE, "owned_by": MODEL}


def _known(name: str) -> None:
    if name != MODEL:
        raise NotFound(
            f"There is no model {name!r} here; the one there is is {MODEL!r}.",
            code="model_not_found",
            extensions={"param": "model"},
        )
