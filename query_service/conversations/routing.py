"""The book of routing decisions: which model answered what, kept for whoever pays for it or tunes the tiers."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, delete

from query_service.conversations.afterwork import FAREWELL_S
from query_service.conversations.store import Opened
from query_service.conversations.tables import RoutingDecision
from query_service.llm.route import Route
from shared.db.rows import utc_now
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.observability.metrics import AFTERWORK

log = get_logger(__name__)

MAX_WAITING = 10_000
"""Rows that wait for the database, some MB; beyond it they are dropped, and counted."""


class RoutingBook:
    """Rows are written beside the answers, all that wait in one transaction: many answers may end in one moment.

    While the database is away they wait for the next answer. Those older than `keep_days` go when others come, so that
    the table does not grow for ever. Used on the event loop.
    """

    def __init__(self, engine: Engine, *, keep_days: float) -> None:
        self._engine = engine
        self._keep = timedelta(days=keep_days)
        self._waiting: list[RoutingDecision] = []
        self._writing: asyncio.Task[None] | None = None

    def enter(self, organization_id: UUID, opened: Opened | None, route: Route) -> None:
        """One row for one answer that a language model was asked for, also when it failed or nobody waited for it.
        `opened` is None for a question whose conversation the caller keeps himself."""
        if len(self._waiting) >= MAX_WAITING:
            AFTERWORK.labels("routing", "dropped").inc()
            return
        row = RoutingDecision(
            organization_id=organization_id,
            conversation_id=opened.conversation_id if opened else None,
            message_id=opened.message_id if opened else None,
            asked_model=route.asked_model,
            model=route.served.model,
            tier=route.served.tier,
            fallbacks=route.served.fallbacks,
            outcome=route.outcome,
            prompt_tokens=route.usage.prompt_tokens,
            completion_tokens=route.usage.completion_tokens,
            cost_usd=route.cost_usd,
            first_token_ms=route.first_token_ms,
            total_ms=route.total_ms,
        )
        self._waiting.append(row)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Write what waits, if that does not take long."""
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=FAREWELL_S)

    async def _write(self) -> None:
        while self._waiting:
            rows, self._waiting = self._waiting, []
            count = len(rows)
            try:
                await asyncio.to_thread(self._add, rows)
            except (Unavailable, OperationalError) as error:  # of PostgreSQL, and of SQLite
                log.warning("routing_decisions_wait", rows=count, reason=str(error))
                self._waiting = [*rows, *self._waiting]
                return
            except Exception:
                AFTERWORK.labels("routing", "failed").inc(count)
                log.exception("afterwork_failed", work="routing", rows=count)
            else:
                AFTERWORK.labels("routing", "done").inc(count)

    def _add(self, rows: Sequence[RoutingDecision]) -> None:
        with Session(self._engine) as session:
            session.exec(delete(RoutingDecision).where(col(RoutingDecision.created_at) < utc_now() - self._keep))
            session.add_all(rows)
            session.commit()
