"""Hosts whose clocks differ by more than a lease, over one PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo

import pytest
from sqlalchemy import Engine

from ingest_service.jobs.ledger import Ledger
from ingest_service.jobs.owner import Owner
from ingest_service.jobs.turns import anything_to_do, count_ready
from shared.db import rows
from tests.acceptance.product import wait_until
from tests.unit.ingest.test_ledger import a_job, a_job_of, an_organization

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
PATIENCE_S = 60.0


@contextmanager
def on_a_host_that_is(hours: int) -> Iterator[None]:
    """Ahead of the database by so many hours, or behind it."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(hours=hours)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rows, "datetime", Clock)
        yield


def host(name: str, engine: Engine, lease_s: float = 60) -> Ledger:
    return Ledger(engine, lease_s=lease_s, owner=Owner(name, 1, "b" * 32))


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_job_is_taken_from_a_silent_host_after_its_lease_and_not_before(engine: Engine, hours: int):
    for _ in range(2):
        a_job(engine)
    with on_a_host_that_is(hours):
        assert host("living", engine).claim()
        assert host("silent", engine, lease_s=0.2).claim()
    here = host("here", engine)
    wait_until(lambda: here.take_from_the_dead() == 1, PATIENCE_S, "the lease of the silent one to run out")
    assert here.take_from_the_dead() == 0
    with on_a_host_that_is(hours):
        assert host("another", engine).take_from_the_dead() == 0


@pytest.mark.parametrize("hours", [-1, 1])
def test_what_one_host_adds_is_work_for_all_others_at_once(engine: Engine, hours: int):
    with on_a_host_that_is(hours):
        a_job(engine)
        a_job(engine)
    assert count_ready(engine, 10) == 2
    assert anything_to_do(engine)
    assert host("here", engine).claim()
    with on_a_host_that_is(-hours):
        assert host("there", engine).claim()


def test_a_pause_that_one_host_gave_ends_for_all_at_the_same_time(engine: Engine):
    a_job(engine)
    with on_a_host_that_is(1):
        ahead = host("ahead", engine)
        job = ahead.claim()
        assert job
        ahead.give_back(job, pause_s=0.2)
    wait_until(host("here", engine).claim, PATIENCE_S, "the end of the pause")


def test_turns_stay_fair_when_a_host_is_ahead(engine: Engine):
    organizations = [an_organization(engine) for _ in range(2)]
    for organization in organizations * 2:
        a_job_of(engine, organization)
    with on_a_host_that_is(1):
        first = host("ahead", engine).claim()
    second, third = (host("here", engine).claim() for _ in range(2))
    assert first
    assert second
    assert third
    assert first.organization_id != second.organization_id
    assert third.organization_id == first.organization_id
