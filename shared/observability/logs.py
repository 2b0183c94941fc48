"""Structured logs: one event a line, JSON in production, readable on a terminal.

A line says what it belongs to: `request_id`, `conversation_id`, `document_id`, `job_id`, and with traces `trace_id`.
Questions, answers, document text, tokens and payloads are never logged.
"""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

from shared.observability.traces import trace_id
from shared.part_settings import LogSettings

Logger = structlog.stdlib.BoundLogger

_LIBRARIES = (
    *(
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "openai",
        "sse_starlette",
    ),  # whole requests and answers at debug
    *("uvicorn", "watchdog", "amqtt", "transitions", "alembic", "asyncio"),
)
"""Only their warnings are wanted."""

_ids: ContextVar[dict[str, str] | None] = ContextVar("log_ids", default=None)


def configure_logging(settings: LogSettings) -> None:
    """Send our events and those of the standard `logging` module through one renderer to stderr."""
    console = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        # Plain tracebacks: the renderer's default prints local variables, and with them questions and keys.
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    enrich: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_ids,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if not console:
        enrich.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*enrich, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=enrich,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)


def get_logger(name: str) -> Logger:
    """A logger by module name: `log = get_logger(__name__)`, then `log.info("event_name", key=value)`."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger


@contextmanager
def log_scope(**ids: str) -> Iterator[None]:
    """Lines that are logged inside carry these ids, and those that `identify` adds on the way.

    Tasks and threads that are begun inside share the scope: what one of them adds stands on the lines of all.
    """
    token = _ids.set({**log_ids(), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


def identify(**ids: str) -> None:
    """From here on the lines of this scope carry these ids too. Nothing happens where there is none."""
    scope = _ids.get()
    if scope is not None:
        scope.update(ids)


def log_ids() -> Mapping[str, str]:
    """The ids that lines carry here."""
    return _ids.get() or {}


def _with_ids(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for name, value in log_ids().items():
        event.setdefault(name, value)
    if trace := trace_id():
        event["trace_id"] = trace
    return event
