"""The jobs table as the one truth about work: who does what, how far it is, what became of it.

Each change is one UPDATE with its precondition in the WHERE clause, so it holds on SQLite and PostgreSQL and with any
number of workers. A worker that lost its lease finds that its UPDATE touches nothing, and stops. Leases, pauses and
turns go by the database's clock.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, Update, func, or_, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, select, update

from ingest_service.jobs.owner import Owner
from ingest_service.jobs.turns import next_job
from ingest_service.tables import ENDED, JobKind, JobRow, JobState
from shared.db.clock import moment
from shared.db.rows import utc_now
from shared.observability.metrics import JOBS_WAITING

_NO_LEASE = {"lease_owner": None, "lease_until": None}
LONGEST_PAUSE_S = 60.0


class LeaseLost(Exception):
    """The job was given to somebody else after this worker was silent for too long."""


class JobCancelled(Exception):
    """Somebody asked the worker to stop this job; the message says why."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job in a worker's hands."""

    id: UUID
    organization_id: UUID
    document_id: UUID
    version: int
    kind: JobKind
    attempts: int
    interruptions: int = 0
    pauses: int = 0
    traceparent: str = ""


class Ledger:
    """All writes to the jobs table after a job was added. Synchronous and thread-safe."""

    def __init__(self, engine: Engine, *, lease_s: float, owner: Owner) -> None:
        self.engine = engine
        self.owner = owner
        self._lease = timedelta(seconds=lease_s)
        self._in_hand: set[UUID] = set()

    def claim(self) -> Job | None:
        """queued -> running: the most urgent job of the organization whose turn it is, or None. Whoever gets one lets
        it go (`let_go`) when he is done with it, settled or not.

        The turn goes round: a thousand documents of one organization never keep another's first one waiting. A job
        whose document has another one running waits for that.
        """
        with Session(self.engine) as session:
            while wanted := next_job(session):
                if self._taken(session, wanted):
                    row = session.get_one(JobRow, wanted)
                    self._in_hand.add(row.id)
                    return Job(
                        row.id,
                        row.organization_id,
                        row.document_id,
                        row.version,
                        JobKind(row.kind),
                        row.attempts,
                        row.interruptions,
                        row.pauses,
                        row.traceparent,
                    )
        return None

    def _taken(self, session: Session, wanted: UUID) -> bool:
        """Whether the job is ours now; another worker may have taken it, or one of the same document, just before."""
        taking = (
            update(JobRow)
            .where(col(JobRow.id) == wanted, col(JobRow.state) == JobState.QUEUED)
            .values(
                state=JobState.RUNNING,
                lease_owner=str(self.owner),
                lease_until=moment(self.engine, self._lease),
                attempts=JobRow.attempts + 1,
                started_at=moment(self.engine),
                updated_at=utc_now(),
            )
        )
        try:
            taken = session.exec(taking).rowcount
            session.commit()
        except IntegrityError:
            session.rollback()
            return False
        return bool(taken)

    def progress(self, job: Job, stage: str, done: int, total: int) -> None:
        """Note how far the job is, and renew its lease. Raises `LeaseLost` if it is no longer this worker's, and
        `JobCancelled` if it shall go no further."""
        self._mine(job, stage=stage, done=done, total=total, lease_until=moment(self.engine, self._lease))
        with Session(self.engine) as session:
            reason = session.exec(select(JobRow.cancel_reason).where(JobRow.id == job.id)).one()
        if reason is not None:
            raise JobCancelled(reason)

    def let_go(self, job: Job) -> None:
        """Nobody here works on the job any more. If it could not be settled, its lease runs out."""
        self._in_hand.discard(job.id)

    def renew(self) -> int:
        """Renew the leases of everything this process works on; says how many.

        Not of all that bears its name: a job whose claim or settlement the database cut off is nobody's, and must be
        found by `take_from_the_dead` although this process lives.
        """
        with Session(self.engine) as session:
            renewed = session.exec(
                update(JobRow)
                .where(
                    col(JobRow.id).in_(tuple(self._in_hand)),
                    col(JobRow.state) == JobState.RUNNING,
                    col(JobRow.lease_owner) == str(self.owner),
                )
                .values(lease_until=moment(self.engine, self._lease))
            ).rowcount
            session.commit()
            return renewed

    def finish(self, job: Job, state: JobState, error: str | None = None) -> None:
        """running -> done, failed or cancelled. Raises `LeaseLost` if it is no longer this worker's."""
        self._mine(job, state=state, error=error, **_NO_LEASE)

    def give_back(
        self, job: Job, *, error: str | None = None, pause_s: float = 0.0, counts: bool = False, paused: bool = False
    ) -> None:
        """running -> queued: at once when a worker stops, or after a pause when the attempt failed.

        `counts` says whether the attempt is held against the document, `paused` whether it waits for other parts.
        """
        # Spread, so that jobs which failed together do not come back together.
        pause = timedelta(seconds=pause_s * random.uniform(0.5, 1.0))  # noqa: S311
        self._mine(
            job,
            state=JobState.QUEUED,
            error=error,
            run_after=moment(self.engine, pause),
            attempts=job.attempts if counts else job.attempts - 1,
            pauses=job.pauses + paused,
            **_NO_LEASE,
        )

    def take_from_the_dead(self) -> int:
        """running -> queued for jobs whose worker died: known to be gone, or silent past its lease. Says how many.

        A power cut is no failed attempt of the document. One that was interrupted before waits a little, so that
        others go first if it is what ends the process.
        """
        with Session(self.engine) as session:
            lease_until = col(JobRow.lease_until)
            silent = or_(lease_until.is_(None), lease_until < moment(self.engine))
            running = session.exec(select(JobRow, silent).where(col(JobRow.state) == JobState.RUNNING)).all()
            dead = [row for row, is_silent in running if is_silent or self._surely_dead(row)]
            taken = sum(session.exec(self._taking(row)).rowcount for row in dead)
            session.commit()
            return taken

    def _surely_dead(self, row: JobRow) -> bool:
        return row.lease_owner is None or Owner.parse(row.lease_owner).surely_dead(self.owner)

    def _taking(self, row: JobRow) -> Update:
        change: Update = update(JobRow).where(
            col(JobRow.id) == row.id,
            col(JobRow.state) == JobState.RUNNING,
            col(JobRow.lease_owner) == row.lease_owner,
            col(JobRow.lease_until) == row.lease_until,
        )
        now = utc_now()
        if row.cancel_reason is not None:
            # Whoever takes it next hears of it at the first step, and settles the document along with the job.
            return change.values(state=JobState.QUEUED, attempts=row.attempts - 1, updated_at=now, **_NO_LEASE)
        pause = min(2.0**row.interruptions, LONGEST_PAUSE_S) if row.interruptions else 0.0
        return change.values(
            state=JobState.QUEUED,
            attempts=row.attempts - 1,
            interruptions=row.interruptions + 1,
            run_after=moment(self.engine, timedelta(seconds=pause)),
            updated_at=now,
            **_NO_LEASE,
        )

    def forget_ended(self, before: datetime, limit: int = 500) -> int:
        """Delete up to `limit` jobs that ended before this moment, but never a document's newest. Says how many."""
        newer = aliased(JobRow)
        order = (JobRow.created_at, JobRow.id)
        has_newer = select(newer.id).where(
            newer.document_id == JobRow.document_id, tuple_(newer.created_at, newer.id) > tuple_(*order)
        )
        old = (
            select(JobRow.id)
            .where(col(JobRow.state).in_(ENDED), col(JobRow.updated_at) < before, has_newer.exists())
            .limit(limit)
        )
        with Session(self.engine) as session:
            forgotten = session.exec(delete(JobRow).where(col(JobRow.id).in_(old))).rowcount
            session.commit()
            return forgotten

    def waiting(self) -> int:
        """How many jobs wait for a worker."""
        with Session(self.engine) as session:
            count = session.exec(
                select(func.count()).select_from(JobRow).where(col(JobRow.state) == JobState.QUEUED)
            ).one()
        JOBS_WAITING.set(count)
        return count

    def _mine(self, job: Job, **values: object) -> None:
        change: Update = (
            update(JobRow)
            .where(
                col(JobRow.id) == job.id,
                col(JobRow.state) == JobState.RUNNING,
                col(JobRow.lease_owner) == str(self.owner),
            )
            .values(updated_at=utc_now(), **values)
        )
        with Session(self.engine) as session:
            touched = session.exec(change).rowcount
            session.commit()
        if not touched:
            raise LeaseLost
