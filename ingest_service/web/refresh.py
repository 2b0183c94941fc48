"""All web documents of an organization asked for again, in the background, with a report of what came of each."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from ingest_service.tables import SourceKind, SourceRow
from ingest_service.web.errors import PageGone
from ingest_service.web.pages import Wanted, WebPages
from shared.db.rows import utc_now
from shared.errors import NotFound, XgtwinError
from shared.models import Frozen
from shared.observability.logs import get_logger
from shared.observability.metrics import INGEST_TROUBLE

log = get_logger(__name__)

AT_ONCE = 2
"""Half of the places for fetching: whoever sends an address meanwhile does not wait for the refresh."""
MAX_FAILURES = 1000
UNEXPECTED = "Something failed here that we did not foresee. The log has it."


class RefreshState(StrEnum):
    """Where a refresh stands."""

    RUNNING = "running"
    """Addresses are being asked."""
    DONE = "done"
    """Every address was asked once."""
    STOPPED = "stopped"
    """The service shut down meanwhile; what was asked by then is as the report says."""


class RefreshFailure(Frozen):
    """An address that gave no document; what is kept of it stays as it is."""

    url: str
    document_id: UUID
    reason: str


class RefreshReport(BaseModel):
    """`unchanged + updated + failed` is what was asked so far; `failures` names the first thousand."""

    state: RefreshState = RefreshState.RUNNING
    total: int
    unchanged: int = 0
    updated: int = 0
    failed: int = 0
    failures: list[RefreshFailure] = Field(default_factory=list)
    started_at: datetime = Field(default_factory=utc_now)
    ended_at: datetime | None = None


class Refreshes:
    """At most one refresh of an organization at a time, on one event loop. Reports live as long as the process."""

    def __init__(self, engine: Engine, pages: WebPages) -> None:
        self.engine = engine
        self.pages = pages
        self._reports: dict[UUID, RefreshReport] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    async def start(self, organization_id: UUID) -> RefreshReport:
        """Begin a refresh; if one runs already, its report."""
        sources = await asyncio.to_thread(self._sources, organization_id)
        running = self._tasks.get(organization_id)
        if running is None or running.done():
            report = RefreshReport(total=len(sources))
            self._reports[organization_id] = report
            self._tasks[organization_id] = asyncio.create_task(self._run(organization_id, sources, report))
        return self._reports[organization_id]

    def report(self, organization_id: UUID) -> RefreshReport:
        """The newest refresh. Raises `NotFound` when there was none since the start."""
        if organization_id not in self._reports:
            raise NotFound("Nothing was refreshed since the service started. POST /sources/web/refresh does it.")
        return self._reports[organization_id]

    async def stop(self) -> None:
        """End what runs; documents that were fetched by then are safe."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, organization_id: UUID, sources: list[tuple[str, UUID]], report: RefreshReport) -> None:
        left = iter(sources)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._ask_all(organization_id, left, report))
            report.state = RefreshState.DONE
        finally:
            if report.state == RefreshState.RUNNING:
                report.state = RefreshState.STOPPED
            report.ended_at = utc_now()
            log.info("web_refreshed", state=report.state, updated=report.updated, failed=report.failed)

    async def _ask_all(self, organization_id: UUID, left: Iterator[tuple[str, UUID]], report: RefreshReport) -> None:
        for url, document_id in left:
            try:
                admission = await self.pages.take_in(Wanted(organization_id, url, key=url, document_id=document_id))
            except PageGone as gone:
                reason = f"{gone.detail} The document is kept; DELETE /documents/{document_id} removes it."
                _note(report, url, document_id, reason)
            except XgtwinError as error:
                _note(report, url, document_id, error.detail)
            except Exception:
                INGEST_TROUBLE.labels("web_refresh").inc()
                log.exception("web_refresh_failed", document_id=str(document_id))
                _note(report, url, document_id, UNEXPECTED)
            else:
                # A page may have moved to what another document holds.
                same = admission.duplicate and admission.document_id == document_id
                report.unchanged += same
                report.updated += not same

    def _sources(self, organization_id: UUID) -> list[tuple[str, UUID]]:
        query = (
            select(SourceRow.key, SourceRow.document_id)
            .where(
                SourceRow.organization_id == organization_id,
                SourceRow.kind == SourceKind.WEB,
                col(SourceRow.document_id).is_not(None),
            )
            .order_by(col(SourceRow.key))
        )
        with Session(self.engine) as session:
            return [(key, document_id) for key, document_id in session.exec(query) if document_id is not None]


def _note(report: RefreshReport, url: str, document_id: UUID, reason: str) -> None:
    report.failed += 1
    if len(report.failures) < MAX_FAILURES:
        report.failures.append(RefreshFailure(url=url, document_id=document_id, reason=reason))
