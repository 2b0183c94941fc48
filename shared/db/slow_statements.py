"""SQL statements that take too long: logged as they are written in the code, never with their values."""

import time
from typing import Any

from sqlalchemy import Connection, Engine, event

from shared.observability.slow import tell_if_slow

MAX_CHARS = 600
"""Of a statement: the columns of the widest table, and what follows FROM."""
_BEGUN = "xgtwin_begun"


def watch_statements(engine: Engine, limit_ms: float) -> None:
    """From now on every statement above `limit_ms` is logged and counted. Waiting for a lock is part of its time."""

    @event.listens_for(engine, "before_cursor_execute")
    def begin(connection: Connection, *_: Any) -> None:
        connection.info[_BEGUN] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def end(connection: Connection, _: Any, statement: str, *__: Any) -> None:
        ms = (time.perf_counter() - connection.info[_BEGUN]) * 1000
        if ms > limit_ms:
            tell_if_slow("slow_sql", ms, limit_ms, statement=" ".join(statement.split())[:MAX_CHARS])
