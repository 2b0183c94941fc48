"""Structured logs: one event a line, JSON in production, readable on a terminal.

`request_id` is bound per request (shared/web/request_context.py), `job_id` and `document_id` by the pipeline.
Questions, answers, document text, tokens and payloads are never logged.
"""

import logging
import sys

import structlog

from shared.part_settings import LogSettings

Logger = structlog.stdlib.BoundLogger


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
    for noisy in ("httpx", "httpx2", "httpcore", "uvicorn", "watchdog", "amqtt", "transitions", "alembic", "celery"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> Logger:
    """A logger by module name: `log = get_logger(__name__)`, then `log.info("event_name", key=value)`."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger
