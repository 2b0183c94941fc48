"""HTTP for jobs and for the watched folder."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sse_starlette import EventSourceResponse

from ingest_service.api.documents import Limit, reader_of
from ingest_service.api.schemas import JobPage, JobView
from ingest_service.api.sse import job_events
from ingest_service.documents.catalogue import Catalogue
from ingest_service.documents.changes import Changes
from ingest_service.tables import JobState
from ingest_service.watched_folder.folder import WatchedFolder
from ingest_service.watched_folder.scan_report import ScanReport
from shared.auth.guard import Guard
from shared.auth.keys import Principal, Scope
from shared.errors import BadRequest, Conflict, Forbidden
from shared.models import DEFAULT_ORGANIZATION_ID


def job_routes(guard: Guard, catalogue: Catalogue, changes: Changes, folder: WatchedFolder) -> APIRouter:
    """`/jobs` and `/sources/watch/scan`, as described in docs/ingestion.md."""
    router = APIRouter(tags=["jobs"])
    Writer = Annotated[Principal, Depends(guard.require(Scope.INGEST))]  # noqa: N806
    Reader = Annotated[Principal, Depends(reader_of(guard))]  # noqa: N806

    @router.get("/jobs")
    def listed(
        who: Reader,
        state: str = "",
        document_id: UUID | None = None,
        limit: Limit = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Jobs, newest first; `state` takes several, separated by commas."""
        return catalogue.jobs(who.organization_id, _states(state), document_id, limit, cursor)

    @router.get("/jobs/{job_id}")
    def one(job_id: UUID, response: Response, who: Reader) -> JobView:
        """How far a job is."""
        job = catalogue.job(who.organization_id, job_id)
        if job.state in {JobState.QUEUED, JobState.RUNNING}:
            response.headers["Retry-After"] = "1"
        return job

    @router.get("/jobs/{job_id}/events", response_class=EventSourceResponse)
    def events(job_id: UUID, who: Reader) -> EventSourceResponse:
        """The job as server-sent events: `progress` on each change, `end` as the last."""
        catalogue.job(who.organization_id, job_id)
        return job_events(lambda: catalogue.job(who.organization_id, job_id))

    @router.post("/jobs/{job_id}/retry", status_code=202)
    def retry(job_id: UUID, who: Writer) -> JobView:
        """Queue a failed or cancelled job again."""
        changes.retry(who.organization_id, job_id)
        return catalogue.job(who.organization_id, job_id)

    @router.post("/jobs/{job_id}/cancel", status_code=202)
    def cancel(job_id: UUID, who: Writer) -> JobView:
        """Stop a job: a waiting one at once, a running one between two of its steps."""
        changes.cancel(who.organization_id, job_id)
        return catalogue.job(who.organization_id, job_id)

    @router.post("/sources/watch/scan", status_code=202)
    def scan(who: Writer, confirm: bool = False, dry_run: bool = False) -> ScanReport:
        """Read the watched folder now. `confirm=true` also deletes what was held back as a likely accident;
        `dry_run=true` only tells what would happen, and changes nothing."""
        if who.organization_id != DEFAULT_ORGANIZATION_ID:
            raise Forbidden("The watched folder feeds another organization; a key of that one may scan it.")
        if folder.mode.name == "off":
            raise Conflict("No folder is watched (INGEST__WATCH=off).")
        return folder.preview(confirm=confirm) if dry_run else folder.scan(confirm=confirm)

    return router


def _states(text: str) -> list[JobState]:
    try:
        return [JobState(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise BadRequest(f"state takes {', '.join(JobState)}, separated by commas.") from error
