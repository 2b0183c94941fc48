"""The jobs table: who gets which job, and what happens when he is gone."""

import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select, update

from ingest_service.documents.lifecycle import add_job
from ingest_service.jobs.cancelling import cancel_jobs_of
from ingest_service.jobs.ledger import JobCancelled, LeaseLost, Ledger
from ingest_service.jobs.owner import Owner
from ingest_service.jobs.running import run_next
from ingest_service.tables import DocumentRow, JobKind, JobRow, JobState
from shared.auth.tables import Organization
from shared.db.rows import utc_now
from shared.models import DocumentStatus
from tests.acceptance.product import wait_until

HERE = Owner.this_process()
ELSEWHERE = Owner("another-host", 1, "b" * 32)


def ledger(engine: Engine, owner: Owner = HERE, lease_s: float = 60) -> Ledger:
    return Ledger(engine, lease_s=lease_s, owner=owner)


def a_job(engine: Engine, priority: int = 0, document: DocumentRow | None = None) -> JobRow:
    with Session(engine, expire_on_commit=False) as session:
        document = document or DocumentRow(
            name="a",
            content_hash=str(id(object())) + str(utc_now()),
            size=1,
            media_type="x",
            status=DocumentStatus.QUEUED,
        )
        session.add(document)
        session.flush()
        job = add_job(session, document, JobKind.INGEST, priority)
        session.commit()
        return job


def an_organization(engine: Engine) -> UUID:
    with Session(engine, expire_on_commit=False) as session:
        organization = Organization(name="other")
        session.add(organization)
        session.commit()
        return organization.id


def a_job_of(engine: Engine, organization: UUID, priority: int = 0) -> JobRow:
    with Session(engine, expire_on_commit=False) as session:
        document = DocumentRow(
            organization_id=organization, name="a", content_hash=str(uuid4()), size=1, media_type="x", status="queued"
        )
        session.add(document)
        session.flush()
        job = add_job(session, document, JobKind.INGEST, priority)
        session.commit()
        return job


def test_organizations_take_turns_however_much_one_of_them_brings(engine: Engine):
    crowd, lone, third = (an_organization(engine) for _ in range(3))
    for _ in range(20):
        a_job_of(engine, crowd, priority=10)
    a_job_of(engine, lone)
    for _ in range(2):
        a_job_of(engine, third)
    claimed = [ledger(engine).claim() for _ in range(8)]
    turns = [job.organization_id for job in claimed if job]
    assert sorted(turns[:3]) == sorted([crowd, lone, third])
    assert turns[3:5].count(third) == 1
    assert turns[5:] == [crowd] * 3


def test_an_organization_whose_document_is_busy_does_not_hold_up_the_others(engine: Engine):
    first, second = an_organization(engine), an_organization(engine)
    waiting = a_job_of(engine, first)
    with Session(engine) as session:
        document = session.get_one(DocumentRow, waiting.document_id)
        add_job(session, document, JobKind.RELABEL, 0)
        session.commit()
    assert ledger(engine).claim() is not None
    other = a_job_of(engine, second)
    a_job_of(engine, second)
    claimed = [ledger(engine).claim() for _ in range(3)]
    assert claimed[0]
    assert claimed[0].id == other.id
    assert claimed[2] is None


def state_of(engine: Engine, job: JobRow) -> JobRow:
    with Session(engine) as session:
        return session.get_one(JobRow, job.id)


def test_the_most_urgent_job_comes_first_and_the_oldest_among_equals(engine: Engine):
    jobs = [a_job(engine, priority) for priority in (0, 10, 0)]
    claimed = [ledger(engine).claim() for _ in range(4)]
    assert [job and job.id for job in claimed] == [jobs[1].id, jobs[0].id, jobs[2].id, None]


def test_each_job_is_claimed_once_by_many_workers(engine: Engine):
    jobs = {a_job(engine).id for _ in range(12)}
    claimed: list[object] = []

    def work() -> None:
        mine = ledger(engine)
        while len(claimed) < len(jobs):
            if job := mine.claim():
                claimed.append(job.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, claimed)) == sorted(map(str, jobs))


def test_two_jobs_of_one_document_never_run_together(engine: Engine):
    first = a_job(engine)
    with Session(engine, expire_on_commit=False) as session:
        document = session.get_one(DocumentRow, first.document_id)
    a_job(engine, priority=20, document=document)
    mine = ledger(engine)
    running = mine.claim()
    assert running is not None
    assert mine.claim() is None
    mine.finish(running, JobState.DONE)
    assert mine.claim() is not None


def test_a_job_of_a_dead_process_is_taken_over_at_once(engine: Engine):
    job = a_job(engine)
    ledger(engine, Owner(HERE.host, HERE.pid, "an earlier boot")).claim()
    assert ledger(engine).take_from_the_dead() == 1
    assert state_of(engine, job).state == JobState.QUEUED


def test_a_power_cut_costs_no_attempt_but_whoever_was_there_before_lets_others_go_first(engine: Engine):
    suspect = a_job(engine, priority=10)
    mine = ledger(engine)
    for boot, waits in (("first", False), ("second", True)):
        with Session(engine) as session:
            session.exec(update(JobRow).values(run_after=utc_now()))
            session.commit()
        ledger(engine, Owner(HERE.host, HERE.pid, boot)).claim()
        assert mine.take_from_the_dead() == 1
        assert (state_of(engine, suspect).run_after > utc_now()) is waits
    other = a_job(engine)
    assert (state_of(engine, suspect).attempts, state_of(engine, suspect).interruptions) == (0, 2)
    claimed = mine.claim()
    assert claimed is not None
    assert claimed.id == other.id


def test_a_cancelled_job_of_a_dead_process_is_settled_at_the_first_step_of_the_next_run(engine: Engine):
    job = a_job(engine)
    ledger(engine, Owner(HERE.host, HERE.pid, "an earlier boot")).claim()
    with Session(engine) as session:
        cancel_jobs_of(session, job.document_id, "no longer wanted")
        session.commit()
    ours = ledger(engine)
    ours.take_from_the_dead()
    claimed = ours.claim()
    assert claimed
    assert claimed.id == job.id
    with pytest.raises(JobCancelled, match="no longer wanted"):
        ours.progress(claimed, "parsing", 0, 0)


def test_old_jobs_are_forgotten_in_batches_but_never_the_newest_of_a_document(engine: Engine):
    first = a_job(engine)
    with Session(engine, expire_on_commit=False) as session:
        document = session.get_one(DocumentRow, first.document_id)
    others = [a_job(engine, document=document) for _ in range(4)]
    alone, waiting = a_job(engine), a_job(engine)
    with Session(engine) as session:
        long_ago = utc_now() - timedelta(days=31)
        session.exec(update(JobRow).values(updated_at=long_ago, state=JobState.DONE))
        session.exec(update(JobRow).where(col(JobRow.id) == waiting.id).values(state=JobState.QUEUED))
        session.exec(update(JobRow).where(col(JobRow.id) == others[0].id).values(updated_at=utc_now()))
        session.commit()
    mine = ledger(engine)
    month_ago = utc_now() - timedelta(days=30)
    assert [mine.forget_ended(month_ago, limit=2) for _ in range(3)] == [2, 1, 0]
    with Session(engine) as session:
        assert set(session.exec(select(JobRow.id))) == {others[0].id, others[3].id, alone.id, waiting.id}


def test_a_job_of_another_machine_is_taken_over_when_its_lease_ran_out(engine: Engine):
    job = a_job(engine)
    ledger(engine, ELSEWHERE).claim()
    assert ledger(engine).take_from_the_dead() == 0
    with Session(engine) as session:
        session.exec(
            update(JobRow).where(col(JobRow.id) == job.id).values(lease_until=utc_now() - timedelta(seconds=1))
        )
        session.commit()
    assert ledger(engine).take_from_the_dead() == 1


def test_a_job_that_could_not_be_settled_is_found_again_although_its_process_lives(engine: Engine):
    job = a_job(engine)
    mine = ledger(engine, lease_s=0.2)
    claimed = mine.claim()
    assert claimed is not None
    assert mine.renew() == 1
    mine.let_go(claimed)  # the database went away before it heard how the job ended
    assert mine.renew() == 0
    wait_until(lambda: mine.take_from_the_dead() == 1, 10, "the lease to run out")
    assert state_of(engine, job).state == JobState.QUEUED


def test_a_claim_that_was_cut_off_is_renewed_by_nobody(engine: Engine):
    job = a_job(engine)
    mine = ledger(engine)
    committed = threading.Event()

    def cut_off(*_: object) -> None:
        if committed.is_set():
            raise ConnectionError("gone")

    event.listen(engine, "commit", lambda _: committed.set())
    event.listen(engine, "before_cursor_execute", cut_off)
    with pytest.raises(ConnectionError):
        mine.claim()
    event.remove(engine, "before_cursor_execute", cut_off)
    assert state_of(engine, job).state == JobState.RUNNING
    assert mine.renew() == 0


def test_a_worker_that_lost_its_lease_can_change_nothing(engine: Engine):
    a_job(engine)
    silent = ledger(engine, ELSEWHERE, lease_s=-1)
    job = silent.claim()
    assert job is not None
    ledger(engine).take_from_the_dead()
    with pytest.raises(LeaseLost):
        silent.progress(job, "embedding", 1, 2)
    with pytest.raises(LeaseLost):
        silent.finish(job, JobState.DONE)


def test_a_running_job_that_is_cancelled_hears_of_it_at_its_next_step(engine: Engine):
    a_job(engine)
    mine = ledger(engine)
    job = mine.claim()
    assert job is not None
    with Session(engine) as session:
        cancel_jobs_of(session, job.document_id, "no longer wanted")
        session.commit()
    with pytest.raises(JobCancelled, match="no longer wanted"):
        mine.progress(job, "embedding", 1, 2)


def test_an_attempt_that_failed_pauses_and_counts_and_a_given_back_one_does_neither(engine: Engine):
    row = a_job(engine)
    mine = ledger(engine)
    job = mine.claim()
    assert job is not None
    mine.give_back(job)
    assert state_of(engine, row).attempts == 0
    job = mine.claim()
    assert job is not None
    mine.give_back(job, error="broken", pause_s=60, counts=True)
    assert mine.claim() is None
    after = state_of(engine, row)
    assert (after.attempts, after.error, after.state) == (1, "broken", JobState.QUEUED)


@pytest.mark.parametrize(
    ("owner", "dead"),
    [
        (HERE, False),
        (Owner(HERE.host, HERE.pid, "other"), True),
        (Owner(HERE.host, 2**22 - 1, "other"), True),
        (ELSEWHERE, False),
    ],
)
def test_only_what_is_known_to_be_gone_counts_as_dead(owner: Owner, dead: bool):
    assert Owner.parse(str(owner)) == owner
    assert owner.surely_dead(HERE) is dead


def test_a_claimed_job_is_run_although_those_that_wait_cannot_be_counted(engine: Engine):
    job = a_job(engine)
    mine = ledger(engine)
    ran: list[UUID] = []

    def no_counting(_: object, __: object, statement: str, *___: object) -> None:
        if statement.lower().startswith("select count("):
            raise ConnectionError("gone")

    event.listen(engine, "before_cursor_execute", no_counting)
    assert run_next(mine, lambda claimed: ran.append(claimed.id))
    event.remove(engine, "before_cursor_execute", no_counting)
    assert ran == [job.id]
    assert mine.renew() == 0, "nobody has it in hand any more"
