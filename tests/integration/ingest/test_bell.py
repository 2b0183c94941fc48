"""How worker processes hear of work: through a real Redis, which may lose everything without any harm."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import Session

from ingest_service.documents.lifecycle import add_job
from ingest_service.jobs.bell import MOST_RINGS, Bell
from ingest_service.jobs.celery_queue import TEND, WORK, CeleryQueue
from ingest_service.jobs.ledger import Job, Ledger
from ingest_service.jobs.owner import Owner
from ingest_service.jobs.turns import count_ready
from ingest_service.tables import DocumentRow, JobKind, JobState
from shared.errors import Unavailable
from tests.redis_server import PASSWORD, RedisServer, redis_server

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def queue(redis: RedisServer) -> CeleryQueue:
    return CeleryQueue(SecretStr(redis.url), lease_s=60)


def waiting(redis: RedisServer, queue: str = WORK) -> int:
    with redis.client() as client:
        return int(client.llen(queue))


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.02)


def add_jobs(engine: Engine, count: int) -> None:
    with Session(engine) as session:
        for _ in range(count):
            document = DocumentRow(name="a", content_hash=uuid4().hex, size=1, media_type="x", status="queued")
            session.add(document)
            session.flush()
            add_job(session, document, JobKind.INGEST, 0)
        session.commit()


@pytest.fixture
def bell(engine: Engine, queue: CeleryQueue) -> Iterator[Bell]:
    bell = Bell(queue, engine)
    yield bell
    bell.stop()


def test_as_many_messages_wait_as_were_wanted_however_often_one_rings(redis: RedisServer, queue: CeleryQueue):
    for wanted, there in ((2, 2), (5, 5), (5, 5), (3, 5), (0, 5)):
        queue.ring(wanted)
        assert waiting(redis) == there


def test_a_redis_that_is_away_is_said_without_its_password(redis: RedisServer, queue: CeleryQueue):
    redis.stop()
    with pytest.raises(Unavailable, match="REDIS__URL") as away:
        queue.ring(1)
    assert PASSWORD not in away.value.detail


def test_a_redis_that_refuses_is_not_called_away(redis: RedisServer, queue: CeleryQueue):
    wrong = CeleryQueue(SecretStr(redis.url.replace(PASSWORD, "errada")), lease_s=60)
    with pytest.raises(Unavailable, match=r"refuses \(.*password") as refused:
        wrong.ring(1)
    assert "errada" not in refused.value.detail
    with redis.client() as client:
        client.config_set("maxmemory", "1")
        with pytest.raises(Unavailable, match=r"refuses \(.*memory"):
            queue.ring(1)
        client.config_set("maxmemory", "0")
        client.set(WORK, "another program's")
        with pytest.raises(Unavailable, match=r"refuses \(.*WRONGTYPE"):
            queue.ring(1)
        client.delete(WORK)
    queue.ring(1)
    assert waiting(redis) == 1


def test_the_bell_rings_once_for_each_job_and_never_for_more_than_workers_can_hear(
    engine: Engine, redis: RedisServer, bell: Bell
):
    add_jobs(engine, 3)
    bell.start(lambda _: None)
    until(lambda: waiting(redis) == 3, "three messages")
    add_jobs(engine, MOST_RINGS + 20)
    bell.wake()
    until(lambda: waiting(redis) == MOST_RINGS, "as many messages as there may be")
    bell.wake()
    assert waiting(redis) == MOST_RINGS


def test_a_job_whose_document_is_worked_on_rings_for_nobody_until_that_is_done(engine: Engine):
    ledger = Ledger(engine, lease_s=60, owner=Owner.this_process())
    add_jobs(engine, 1)
    running = ledger.claim()
    assert running is not None
    with Session(engine) as session:
        add_job(session, session.get_one(DocumentRow, running.document_id), JobKind.RELABEL, 0)
        session.commit()
    assert count_ready(engine, MOST_RINGS) == 0
    ledger.finish(running, JobState.DONE)
    assert count_ready(engine, MOST_RINGS) == 1


def test_a_worker_that_hears_the_bell_for_nothing_does_not_ring_again(engine: Engine, queue: CeleryQueue):
    bell = Bell(queue, engine)  # not started: nobody takes note of what it is told
    ledger = Ledger(engine, lease_s=60, owner=Owner.this_process())
    done: list[Job] = []
    bell.answer(ledger, done.append)
    assert not bell._rung.is_set()
    add_jobs(engine, 1)
    bell.answer(ledger, done.append)
    assert len(done) == 1
    assert bell._rung.is_set()


def test_messages_that_redis_lost_are_sent_again_when_it_is_back(engine: Engine, redis: RedisServer, bell: Bell):
    add_jobs(engine, 2)
    bell.start(lambda _: None)
    until(lambda: waiting(redis) == 2, "two messages")
    redis.stop()
    bell.wake()
    until(lambda: "REDIS__URL" in str(bell.facts()["queue"]), "the bell to say that Redis is away")
    redis.start()
    assert waiting(redis) == 0
    until(lambda: waiting(redis) == 2, "the messages to be there again, nobody having asked")
    until(lambda: bell.facts()["queue"] == "ok", "the bell to say that Redis is back")


@pytest.mark.parametrize("program", ["ingest_service", "ingest_service.worker", "ingest_service.beat"])
def test_a_start_without_what_worker_processes_need_says_what_to_set(tmp_path: Path, program: str):
    assert "REDIS__URL does not name a Redis server" in refusal(tmp_path, program, JOBS__KIND="celery")


@pytest.mark.parametrize("program", ["ingest_service", "ingest_service.worker"])
def test_embedded_vectors_cannot_be_shared_and_the_start_says_so_in_one_sentence(tmp_path: Path, program: str):
    said = refusal(tmp_path, program, JOBS__KIND="celery", REDIS__URL=f"redis://:{PASSWORD}@127.0.0.1:1/0")
    assert "STORE__QDRANT_URL" in said
    assert PASSWORD not in said


def test_a_worker_of_an_installation_without_workers_says_what_to_set(tmp_path: Path):
    assert "JOBS__KIND is in_process" in refusal(tmp_path, "ingest_service.worker")


def test_the_beat_shows_that_it_reaches_redis_by_a_file_that_it_touches(tmp_path: Path, redis: RedisServer):
    file, log = tmp_path / "beat", tmp_path / "beat.log"
    settings = {"JOBS__KIND": "celery", "REDIS__URL": redis.url, "JOBS__BEAT_FILE": str(file)}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-m", "ingest_service.beat"]
    with log.open("wb") as said:
        beat = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=said, stderr=said)
    try:
        until(lambda: waiting(redis, TEND), "the beat to begin")
        for _ in range(2):
            file.unlink(missing_ok=True)
            until(file.exists, "the file to be touched again")
        redis.stop()
        failures = told(log, "beat_not_sent")
        until(lambda: told(log, "beat_not_sent") > failures, "the beat to miss Redis")
        file.unlink()
        until(lambda: told(log, "beat_not_sent") > failures + 1, "the beat to miss it again")
        assert not file.exists()
        redis.start()
        until(file.exists, "the beat to find Redis again")
    finally:
        beat.kill()
        beat.wait()


def test_a_beat_whose_file_cannot_be_written_says_so_at_the_start(tmp_path: Path):
    settings = {"JOBS__KIND": "celery", "REDIS__URL": "redis://127.0.0.1:1", "JOBS__BEAT_FILE": "/nowhere/beat"}
    assert "JOBS__BEAT_FILE" in refusal(tmp_path, "ingest_service.beat", **settings)


def told(log: Path, event: str) -> int:
    return log.read_text().count(event)


def refusal(folder: Path, program: str, **settings: str) -> str:
    """What the program says when it does not start."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "EMBEDDER__KIND": "none", **settings}
    started = subprocess.run(
        [sys.executable, "-m", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert started.returncode == 1, started.stderr
    (line,) = [line for line in started.stderr.splitlines() if line.startswith(f"{program}: ")]
    return line
