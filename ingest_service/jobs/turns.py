"""Whose turn it is: a thousand documents of one organization never keep another's first one waiting."""

from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, or_, select

from ingest_service.tables import JobRow, JobState
from shared.db.clock import moment


def next_job(session: Session) -> UUID | None:
    """The job to take next, or None. Organizations go round, the one that waited longest since its last turn first;
    within one, the most urgent job and the oldest among equals. Jobs of a document that is worked on wait.
    """
    earlier, waiting = aliased(JobRow), aliased(JobRow)
    waiting_for = (
        select(waiting.organization_id).where(col(waiting.state) == JobState.QUEUED).distinct().subquery("waiting_for")
    )
    last_turn = (
        select(func.max(earlier.started_at))
        .where(earlier.organization_id == waiting_for.c.organization_id)
        .scalar_subquery()
    )
    turns = session.exec(select(waiting_for.c.organization_id).order_by(last_turn.is_not(None), last_turn)).all()
    for organization_id in turns:
        best = (
            select(JobRow.id)
            .where(*_could_be_taken(session.get_bind()), JobRow.organization_id == organization_id)
            .order_by(col(JobRow.priority).desc(), col(JobRow.queued_at), col(JobRow.id))
        )
        if wanted := session.exec(best.limit(1)).one_or_none():
            return wanted
    return None


def anything_to_do(engine: Engine) -> bool:
    """Whether a job runs, or could."""
    ready = and_(col(JobRow.state) == JobState.QUEUED, col(JobRow.run_after) <= moment(engine))
    with Session(engine) as session:
        found = select(JobRow.id).where(or_(ready, col(JobRow.state) == JobState.RUNNING)).limit(1)
        return session.exec(found).first() is not None


def count_ready(engine: Engine, most: int) -> int:
    """How many jobs could be taken, counted up to `most`."""
    ready = select(JobRow.id).where(*_could_be_taken(engine)).limit(most)
    with Session(engine) as session:
        return session.exec(select(func.count()).select_from(ready.subquery())).one()


def _could_be_taken(bind: Engine | Connection) -> tuple[ColumnElement[bool], ...]:
    other = aliased(JobRow)
    busy = select(other.id).where(other.document_id == JobRow.document_id, col(other.state) == JobState.RUNNING)
    return col(JobRow.state) == JobState.QUEUED, col(JobRow.run_after) <= moment(bind), ~busy.exists()
