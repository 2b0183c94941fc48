"""Traces: where the time of one question or of one document went, across threads, processes and services.

There are none until `tracing` is entered with an endpoint; `otlp.py` then makes and sends them. Spans carry
names, numbers and ids. Questions, answers, document text and messages of errors are never among their facts.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from shared.part_settings import TraceSettings

Facts = Mapping[str, str | int | float | bool]
"""Attributes of a span, named as OpenTelemetry's conventions do where they have a name."""


class Span(Protocol):
    """A stretch of work. An exception that passes through ends it as an error, by its type alone."""

    headers: Mapping[str, str]
    """What another server is sent (W3C `traceparent`), so that its spans stand below this one."""

    def note(self, facts: Facts) -> None:
        """What is known only on the way."""
        ...

    def event(self, name: str) -> None:
        """A moment inside the span."""
        ...

    def rename(self, name: str) -> None: ...

    def failed(self, kind: str) -> None:
        """It went wrong without an exception; `kind` is a word of ours."""
        ...


class Tracer(Protocol):
    """What makes spans. Thread-safe; never raises for the collector's sake, and never waits for it."""

    def span(self, name: str, facts: Facts) -> AbstractContextManager[Span]: ...

    def call(self, name: str, facts: Facts) -> AbstractContextManager[Span]: ...

    def serving(self, name: str, traceparent: str, facts: Facts) -> AbstractContextManager[Span]: ...

    def continued(self, traceparent: str) -> AbstractContextManager[None]: ...

    def traceparent(self) -> str: ...


class _NoSpan:
    headers: Mapping[str, str] = {}

    def note(self, facts: Facts) -> None: ...

    def event(self, name: str) -> None: ...

    def rename(self, name: str) -> None: ...

    def failed(self, kind: str) -> None: ...


_NO_SPAN = nullcontext[Span](_NoSpan())


class _NoTracer:
    def span(self, name: str, facts: Facts) -> AbstractContextManager[Span]:
        return _NO_SPAN

    call = span

    def serving(self, name: str, traceparent: str, facts: Facts) -> AbstractContextManager[Span]:
        return _NO_SPAN

    def continued(self, traceparent: str) -> AbstractContextManager[None]:
        return nullcontext()

    def traceparent(self) -> str:
        return ""


_NO_TRACER: Tracer = _NoTracer()
_tracer = _NO_TRACER


@contextmanager
def tracing(settings: TraceSettings, service: str) -> Iterator[None]:
    """For the whole process and as long as the context lasts: spans go to TRACES__ENDPOINT, if there is one.

    Leaving sends what is left, for at most a second or two. `service` is what the collector calls this process.
    """
    global _tracer  # noqa: PLW0603 - like metrics and logging: one for the process
    if not settings.endpoint:
        yield
        return
    from shared.observability.otlp import OtlpTracer  # heavy, only where traces are wanted

    tracer = OtlpTracer(settings.endpoint, service)
    _tracer = tracer
    try:
        yield
    finally:
        _tracer = _NO_TRACER
        tracer.close()


def span(name: str, facts: Facts | None = None) -> AbstractContextManager[Span]:
    """A stage; spans that begin inside, also in tasks and threads begun there, stand below it.

    Never around a `yield`: whoever takes the next piece may do so in another task.
    """
    return _tracer.span(name, facts or {})


def call(name: str, facts: Facts | None = None) -> AbstractContextManager[Span]:
    """A call of another server. May be open across a `yield`; nothing stands below it but what its headers lead to."""
    return _tracer.call(name, facts or {})


def serving(name: str, traceparent: str, facts: Facts | None = None) -> AbstractContextManager[Span]:
    """A request of somebody else, below the span that `traceparent` names, if it does."""
    return _tracer.serving(name, traceparent, facts or {})


def continued(traceparent: str) -> AbstractContextManager[None]:
    """Spans that begin inside stand below the one that `traceparent` names, whichever process made it."""
    return _tracer.continued(traceparent)


def traceparent() -> str:
    """The present span as W3C writes it, for whoever goes on with the work; empty when there is none."""
    return _tracer.traceparent()


def trace_id() -> str:
    """32 hexadecimal digits, or nothing."""
    return traceparent()[3:35]
