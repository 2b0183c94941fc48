"""A document at which every attempt fails is set aside, and can be tried again when the reason is gone. A deletion is
never set aside, nor a change of names while the store is away."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, update

from ingest_service.documents.deletion import Remover
from ingest_service.documents.versions import Versions
from ingest_service.jobs.outcomes import MAX_PAUSES, UNEXPECTED
from ingest_service.tables import JobRow
from shared.db.rows import utc_now
from shared.errors import Unavailable
from shared.vector_store.generational_store import GenerationalStore
from tests.integration.ingest.service import running, until


def change_jobs(engine: Engine, **values: object) -> None:
    with Session(engine) as session:
        session.exec(update(JobRow).values(**values))
        session.commit()


async def test_a_document_that_fails_at_every_attempt_is_quarantined_and_can_be_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    async with running(tmp_path, max_attempts=2) as service:
        with monkeypatch.context() as broken:
            broken.setattr(Versions, "ready", failing)
            document = await service.add("nota.txt", b"Uma nota.")
        assert (document["status"], document["error"]) == ("quarantined", UNEXPECTED)
        (job,) = (await service.http.get("/jobs", params={"document_id": document["id"]})).json()["items"]
        assert (job["state"], job["attempts"]) == ("failed", 2)
        assert list(await service.documents(status="quarantined")) == ["nota.txt"]
        await service.http.post(f"/jobs/{job['id']}/retry")
        assert (await service.settled(document["id"]))["status"] == "ready"


async def test_a_document_that_waited_long_in_the_queue_outlives_a_store_that_is_away_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ready, tried = Versions.ready, 0

    def once_away(*given: Any, **named: Any) -> None:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise Unavailable("The vector store does not answer.")
        ready(*given, **named)

    monkeypatch.setattr(Versions, "ready", once_away)
    async with running(tmp_path, workers=0) as service:
        item = (await service.upload("nota.txt", b"Uma nota.")).json()["documents"][0]
    change_jobs(service.engine, queued_at=utc_now() - timedelta(hours=2))
    async with running(tmp_path) as service:
        assert (await service.settled(item["id"]))["status"] == "ready"
    assert tried == 2


async def test_a_document_waits_for_a_store_that_stays_away_only_so_long_and_can_be_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def away(*_: object, **__: object) -> None:
        raise Unavailable("The vector store does not answer.")

    async with running(tmp_path, workers=0) as service:
        item = (await service.upload("nota.txt", b"Uma nota.")).json()["documents"][0]
    change_jobs(service.engine, pauses=MAX_PAUSES)
    async with running(tmp_path) as service:
        with monkeypatch.context() as broken:
            broken.setattr(Versions, "ready", away)
            assert (await service.settled(item["id"]))["status"] == "failed"
            await service.http.post(f"/jobs/{item['job_id']}/retry")

            async def waits_again() -> bool:
                job = (await service.http.get(f"/jobs/{item['job_id']}")).json()
                return job["state"] == "queued" and bool(job["error"])

            await until(waits_again, "the retried job to wait anew")
        assert (await service.settled(item["id"]))["status"] == "ready"


async def test_a_change_of_names_waits_for_the_store_however_long_that_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def away(*_: object) -> None:
        raise Unavailable("The vector store does not answer.")

    async with running(tmp_path) as service:
        document = await service.add("nota.txt", b"Uma nota.")
        with monkeypatch.context() as broken:
            broken.setattr(GenerationalStore, "relabel", away)
            await service.http.patch(f"/documents/{document['id']}", json={"title": "Manual"})
            of_document = {"document_id": document["id"], "state": "queued,running,failed"}
            (job,) = (await service.http.get("/jobs", params=of_document)).json()["items"]

            async def given_back() -> bool:
                now = (await service.http.get(f"/jobs/{job['id']}")).json()
                return now["state"] != "running" and bool(now["error"])

            await until(given_back, "the first attempt to end")
            change_jobs(service.engine, pauses=2 * MAX_PAUSES, error=None, run_after=utc_now())
            await until(given_back, "another attempt to end")
            assert (await service.job(job["id"], "queued", "failed"))["state"] == "queued"
        change_jobs(service.engine, run_after=utc_now())
        await service.job(job["id"], "done")


@pytest.mark.parametrize("trouble", [Unavailable("The vector store does not answer."), RuntimeError("a fault of ours")])
async def test_a_deletion_is_tried_until_it_succeeds_however_long_that_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
):
    tried = 0

    def away(*_: object) -> None:
        nonlocal tried
        tried += 1
        raise trouble

    async with running(tmp_path, max_attempts=1) as service:
        document = await service.add("nota.txt", b"Uma nota.")
        with monkeypatch.context() as broken:
            broken.setattr(Remover, "purge", away)
            deletion = (await service.http.delete(f"/documents/{document['id']}")).json()["job_id"]
            for times in (1, 2, 3):
                change_jobs(service.engine, pauses=2 * MAX_PAUSES, run_after=utc_now())

                async def given_back(times: int = times) -> bool:
                    job = (await service.http.get(f"/jobs/{deletion}")).json()
                    return tried >= times and job["state"] != "running"

                await until(given_back, f"attempt {times} to end")
                assert (await service.job(deletion, "queued", "failed"))["state"] == "queued"
        change_jobs(service.engine, run_after=utc_now())
        await service.job(deletion, "done")
        assert (await service.http.get(f"/documents/{document['id']}")).status_code == 404
