"""Two API processes over one installation: either shows and takes everything, one watches the folder, and when that is
killed the other does."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.integration.ingest.worker_processes import Installation, Program, installation
from tests.postgres import Databases
from tests.redis_server import free_port

pytestmark = pytest.mark.timeout(400)


@dataclass
class Replica:
    program: Program
    http: httpx.Client

    def leads(self) -> bool:
        return bool(self.http.get("/readyz").json()["leads"])

    def events(self) -> list[str]:
        lines = [line for line in self.program.log.read_text().splitlines() if line.startswith("{")]
        return [json.loads(line)["event"] for line in lines]


@pytest.fixture(params=["postgresql", "sqlite"])
def there(request: pytest.FixtureRequest, tmp_path: Path, postgres: Databases) -> Iterator[Installation]:
    with ExitStack() as stack:
        settings = {"INGEST__WATCH": "inotify", "INGEST__WATCH_DIR": str(tmp_path / "watched"), "INGEST__RESCAN_S": "1"}
        if request.param == "sqlite":  # tables on this machine, vectors on a server
            settings["DATABASE_URL"] = f"sqlite:///{tmp_path}/xgtwin.db"
            settings["STORE__PGVECTOR_URL"] = stack.enter_context(postgres.migrated())
        (tmp_path / "watched").mkdir()
        yield stack.enter_context(installation(tmp_path, postgres, **settings))


def replica(there: Installation, stack: ExitStack) -> Replica:
    port = free_port()
    http = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False))
    program = there.start("ingest_service", INGEST__PORT=str(port))

    def answers() -> bool:
        assert program.process.poll() is None, program.log.read_text()
        try:
            return http.get("/livez").is_success
        except httpx.TransportError:
            return False

    there.until(answers, "a replica")
    return Replica(program, http)


def test_one_replica_watches_and_when_it_is_killed_the_other_does(there: Installation):
    with ExitStack() as stack:
        one = replica(there, stack)
        other = replica(there, stack)
        there.worker()
        assert (one.leads(), other.leads()) == (True, False)

        def shown(name: str) -> bool:
            items = other.http.get("/documents", params={"status": "ready"}).json()["items"]
            return name in [item["name"] for item in items]

        (there.folder / "watched" / "a.txt").write_text("A antena ganha 3 dB.")
        there.until(lambda: shown("a.txt"), "the first file")
        one.program.kill()
        there.until(other.leads, "the other replica to lead")
        (there.folder / "watched" / "b.txt").write_text("A antena perde 1 dB.")
        there.until(lambda: shown("b.txt"), "the second file")
        third = replica(there, stack)
        assert (third.leads(), other.leads()) == (False, True)
        assert other.program.stop() == 0, other.program.log.read_text()
        there.until(third.leads, "the third replica to lead")
        assert len(third.http.get("/documents").json()["items"]) == 2


def test_any_replica_streams_the_progress_of_a_job_that_another_one_took(there: Installation):
    with ExitStack() as stack:
        one, other = replica(there, stack), replica(there, stack)
        sent = one.http.post("/documents", files={"files": ("a.txt", b"Um texto.")}).json()["documents"][0]
        with other.http.stream("GET", f"/jobs/{sent['job_id']}/events") as stream:
            lines = stream.iter_lines()
            assert "event: progress" in (next(lines), next(lines))
            there.worker()
            ended = list(lines)
        assert "event: end" in ended
        assert other.http.get(f"/documents/{sent['id']}").json()["status"] == "ready"


def test_a_scan_by_request_is_carried_out_by_whichever_replica_is_asked(there: Installation):
    with ExitStack() as stack:
        one, other = replica(there, stack), replica(there, stack)
        there.worker()
        (there.folder / "watched" / "a.txt").write_text("A antena ganha 3 dB.")
        for each in (one, other):
            assert each.http.post("/sources/watch/scan").status_code == 202
        there.until(lambda: one.http.get("/readyz").json()["documents"].get("ready") == 1, "the document")
        assert len(one.http.get("/documents").json()["items"]) == 1
