"""Worker processes that Redis tells of work: stopped, killed, cut off from Redis, and nothing is lost or done twice."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session, select

from ingest_service.jobs.owner import Owner
from ingest_service.tables import JobRow, JobState
from shared.db.engine import open_engine
from shared.settings import Settings
from tests.collector import collecting
from tests.integration.ingest.documents import long_text
from tests.integration.ingest.worker_processes import Installation, Program, installation
from tests.postgres import Databases, local_postgres
from tests.redis_server import free_port

pytestmark = pytest.mark.timeout(400)
IDS = ("trace_id", "document_id", "job_id")
LEASE_S = "6"
"""Jobs of a dead worker of this machine are taken over sooner: its process is known to be gone."""


def in_the_middle(there: Installation, job_id: str) -> bool:
    progress = there.job(job_id)["progress"]
    return bool(progress["stage"] == "embedding" and 0 < progress["done"] < progress["total"])


def who_works(there: Installation) -> int:
    """The process that holds the one running job."""
    engine = open_engine(Settings(_env_file=None, database_url=there.settings["DATABASE_URL"]))
    with Session(engine) as session:
        owner = session.exec(select(JobRow.lease_owner).where(JobRow.state == JobState.RUNNING)).one()
    engine.dispose()
    return Owner.parse(str(owner)).pid


def lines(program: Program) -> list[dict[str, Any]]:
    """Its log, each line of it JSON."""
    return [json.loads(line) for line in program.log.read_text().splitlines() if line.startswith("{")]


def events(program: Program) -> list[str]:
    """Names of the events that the program logged."""
    return [str(line["event"]) for line in lines(program)]


def test_documents_become_searchable_by_the_hands_of_worker_processes_alone(tmp_path: Path, postgres: Databases):
    with installation(tmp_path, postgres) as there:
        service = there.service()
        for number in range(6):
            there.upload(f"{number}.txt", f"A nota {number} sobre a antena.".encode())
        assert there.ready() == 0
        workers = [there.worker() for _ in range(2)]
        there.until(lambda: there.ready() == 6, "six documents")
        assert there.facts()["jobs"] == {"kind": "celery", "queue": "ok"}
        assert "document_ready" not in events(service)
        assert sum(events(worker).count("document_ready") for worker in workers) == 6


def test_a_worker_killed_in_the_middle_of_a_job_loses_nothing(tmp_path: Path, postgres: Databases):
    with installation(tmp_path, postgres, INGEST__LEASE_S=LEASE_S) as there:
        there.service()
        there.start("ingest_service.beat")
        item = there.upload("longo.txt", long_text(3000).encode())
        worker = there.worker()
        there.until(lambda: in_the_middle(there, item["job_id"]), "the middle of the embedding")
        worker.kill()
        assert there.job(item["job_id"])["state"] == "running"
        there.worker()
        there.until(lambda: there.job(item["job_id"])["state"] == "done", "the end of the job")
        job = there.job(item["job_id"])
        assert (job["state"], job["attempts"]) == ("done", 1), "a kill is not the document's fault"
        chunks = there.http.get(f"/documents/{item['id']}/chunks", params={"limit": 1}).json()
        assert chunks["items"]
        assert there.document(item["id"])["chunks"] > 500


def test_the_job_of_one_of_two_workers_that_is_killed_is_done_by_the_other(tmp_path: Path, postgres: Databases):
    with installation(tmp_path, postgres, INGEST__LEASE_S=LEASE_S) as there:
        there.service()
        there.start("ingest_service.beat")
        workers = [there.worker(), there.worker()]
        item = there.upload("longo.txt", long_text(3000).encode())
        there.until(lambda: in_the_middle(there, item["job_id"]), "the middle of the embedding")
        holder = who_works(there)
        (killed,) = [worker for worker in workers if worker.process.pid == holder]
        (left,) = [worker for worker in workers if worker is not killed]
        killed.kill()
        there.until(lambda: there.ready() == 1, "the document")
        assert there.job(item["job_id"])["attempts"] == 1
        assert events(left).count("document_ready") == 1


def test_documents_outlive_a_database_that_goes_away_while_workers_are_at_them(tmp_path: Path):
    with (
        local_postgres() as server,
        installation(tmp_path, Databases(server.url), INGEST__LEASE_S=LEASE_S) as there,
    ):
        programs = [there.service(), there.start("ingest_service.beat"), there.worker(), there.worker()]
        item = there.upload("longo.txt", long_text(3000).encode())
        for number in range(5):
            there.upload(f"{number}.txt", f"A nota {number}.".encode())
        there.until(lambda: in_the_middle(there, item["job_id"]), "the middle of the embedding")
        server.stop()
        there.until(lambda: any("failed" in name for program in programs[2:] for name in events(program)), "a failure")
        server.start()
        there.until(lambda: there.ready() == 6, "all documents")
        there.until(lambda: there.job(item["job_id"])["state"] == "done", "the job, which ends after its document")
        assert there.job(item["job_id"])["attempts"] == 1, "an outage is not the document's fault"
        assert [program.process.poll() for program in programs] == [None] * 4


def test_a_worker_that_is_stopped_gives_its_job_back_at_once(tmp_path: Path, postgres: Databases):
    with installation(tmp_path, postgres) as there:
        there.service()
        item = there.upload("longo.txt", long_text(3000).encode())
        worker = there.worker()
        there.until(lambda: in_the_middle(there, item["job_id"]), "the middle of the embedding")
        assert worker.stop() == 0, worker.log.read_text()
        job = there.job(item["job_id"])
        assert (job["state"], job["attempts"]) == ("queued", 0)
        assert there.document(item["id"])["status"] == "queued"
        there.worker()
        there.until(lambda: there.ready() == 1, "the document")


def test_what_is_accepted_while_redis_is_away_is_worked_on_when_it_is_back(tmp_path: Path, postgres: Databases):
    with installation(tmp_path, postgres) as there:
        there.service()
        there.start("ingest_service.beat")
        worker = there.worker()
        item = there.upload("longo.txt", long_text(3000).encode())
        there.until(lambda: in_the_middle(there, item["job_id"]), "the middle of the embedding")
        there.redis.stop()
        for number in range(5):
            there.upload(f"{number}.txt", f"A nota {number}, durante a queda.".encode())
        there.until(lambda: "REDIS__URL" in there.facts()["jobs"]["queue"], "the page to say that Redis is away")
        there.redis.start()
        there.until(lambda: there.ready() == 6, "all documents")
        there.until(lambda: there.facts()["jobs"]["queue"] == "ok", "the page to say that Redis is back")
        assert worker.process.poll() is None


@pytest.mark.parametrize("way", ["upload", "watched folder"])
def test_a_document_is_one_trace_and_one_job_id_from_its_arrival_to_the_worker(
    tmp_path: Path, postgres: Databases, way: str
):
    watched = tmp_path / "watched"
    watched.mkdir()
    watching = {"INGEST__WATCH": "auto", "INGEST__WATCH_DIR": str(watched)}
    with (
        collecting() as collector,
        installation(tmp_path, postgres, TRACES__ENDPOINT=collector.url, **watching) as there,
    ):
        service = there.service()
        if way == "upload":
            there.upload("bancada.txt", b"A bancada tem oito antenas.")
        else:
            (watched / "bancada.txt").write_bytes(b"A bancada tem oito antenas.")
        worker = there.worker()
        there.until(lambda: there.ready() == 1, "the document")
        there.until(lambda: {"admit", "publishing"} <= {span.name for span in collector.spans}, "the spans")
        assert (service.stop(), worker.stop()) == (0, 0)
    above = ["POST /documents", "admit"] if way == "upload" else ["admit"]
    for stage in ("parsing", "embedding", "publishing"):
        assert collector.path(stage) == [*above, "job ingest", stage]
        assert collector.named(stage).service == "ingest_service.worker"
    assert collector.named("admit").service == "ingest_service"
    job = collector.named("job ingest")
    (admitted,) = [line for line in lines(service) if line["event"] == "document_admitted"]
    (ready,) = [line for line in lines(worker) if line["event"] == "document_ready"]
    assert (ready["trace_id"], ready["document_id"]) == (job.trace, job.facts["xgtwin.document_id"])
    assert {name: admitted[name] for name in IDS} == {name: ready[name] for name in IDS}


def test_a_worker_shows_its_metrics(tmp_path: Path, postgres: Databases):
    port = free_port()
    with installation(tmp_path, postgres) as there:
        there.service()
        there.worker(JOBS__METRICS_PORT=str(port))
        there.upload("a.txt", b"Um texto.")
        there.until(lambda: there.ready() == 1, "the document")
        page = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        assert 'xgtwin_documents_finished_total{status="ready"} 1.0' in page
