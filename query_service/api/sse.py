"""The events of an answer as server-sent events."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from itertools import count

from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from query_service.events import Event
from shared.errors import XgtwinError
from shared.observability.logs import get_logger
from shared.web.problems import problem

log = get_logger(__name__)

HEARTBEAT_S = 10
"""Proxies drop a connection that is silent for 15 to 60 seconds."""


def event_stream(first: Event, rest: AsyncGenerator[Event, None], instance: str) -> EventSourceResponse:
    """A response that sends `first` and then the rest; a failure in between becomes an `error` event.

    When the client goes away, `rest` is closed, and with it whatever it waits for.
    """
    return EventSourceResponse(_rendered(first, rest, instance), ping=HEARTBEAT_S, headers={"X-Accel-Buffering": "no"})


async def _rendered(first: Event, rest: AsyncGenerator[Event, None], instance: str) -> AsyncIterator[ServerSentEvent]:
    numbers = count(1)
    async with aclosing(rest):
        yield _sent(first, next(numbers))
        try:
            async for event in rest:
                yield _sent(event, next(numbers))
        except XgtwinError as error:
            log.warning("stream_failed", code=error.code, detail=error.detail)
            yield _failed(error, instance, next(numbers))
        except Exception as error:  # the status is sent already: this event is all that can still be said
            log.error("unexpected_error", path=instance, exc_info=error)
            yield _failed(XgtwinError("Something failed here that we did not foresee."), instance, next(numbers))


def _sent(event: BaseModel, number: int) -> ServerSentEvent:
    return ServerSentEvent(event.model_dump_json(), event=type(event).__name__.lower(), id=str(number))


def _failed(error: XgtwinError, instance: str, number: int) -> ServerSentEvent:
    body = problem(
        error.status,
        title=error.title,
        detail=error.detail,
        code=error.code,
        instance=instance,
        extensions=error.extensions,
    ).body
    return ServerSentEvent(bytes(body).decode(), event="error", id=str(number))
