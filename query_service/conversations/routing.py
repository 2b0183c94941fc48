"""The book of routing decisions: which model answered what, kept for whoever pays for it or tunes the tiers."""

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session, col, delete

from query_service.conversations.store import Opened
from query_service.conversations.tables import RoutingDecision
from query_service.llm.route import Route
from shared.db.rows import utc_now


class RoutingBook:
    """Rows older than `keep_days` go when others come, so that the table does not grow for ever."""

    def __init__(self, engine: Engine, *, keep_days: float) -> None:
        self._engine = engine
        self._keep = timedelta(days=keep_days)

    async def write(self, organization_id: UUID, opened: Opened | None, route: Route) -> None:
        """One row for one answer that a language model was asked for, also when it failed or nobody waited for it.
        `opened` is None for a question whose conversation the caller keeps himself."""
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
        await asyncio.to_thread(self._add, row)

    def _add(self, row: RoutingDecision) -> None:
        with Session(self._engine) as session:
            session.exec(delete(RoutingDecision).where(col(RoutingDecision.created_at) < utc_now() - self._keep))
            session.add(row)
            session.commit()
