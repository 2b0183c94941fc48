"""The ingest service and its worker processes: real ones, over PostgreSQL with pgvector and a real Redis."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.postgres import Databases
from tests.redis_server import RedisServer, free_port, redis_server

ROOT = Path(__file__).parents[3]
PATIENCE_S = 120.0
STOPPED_S = 60.0
TOLD = 2000


@dataclass
class Program:
    """`python -m module` in a process of its own; `log` is what it said."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOPPED_S)


@dataclass
class Installation:
    """Programs over one data folder, one database and one Redis."""

    folder: Path
    redis: RedisServer
    settings: Mapping[str, str]
    http: httpx.Client
    started: list[Program] = field(default_factory=list)

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}; {self._last_words()}"
            time.sleep(0.05)

    def _last_words(self) -> str:
        return "\n".join(f"{one.log.name}: {one.log.read_text()[-TOLD:]}" for one in self.started)

    def start(self, module: str, **settings: str) -> Program:
        log = self.folder / f"{module}-{len(self.started)}.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=self.folder,
                env={**self.settings, **settings},
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        program = Program(process, log)
        self.started.append(program)
        return program

    def service(self, **settings: str) -> Program:
        """The ingest service, once it answers."""
        program = self.start("ingest_service", **settings)

        def answers() -> bool:
            assert program.process.poll() is None, program.log.read_text()
            try:
                return self.http.get("/livez").is_success
            except httpx.TransportError:
                return False

        self.until(answers, "the ingest service")
        return program

    def worker(self, **settings: str) -> Program:
        return self.start("ingest_service.worker", **settings)

    def upload(self, name: str, data: bytes) -> dict[str, Any]:
        """The document as it was accepted."""
        response = self.http.post("/documents", files={"files": (name, data)})
        assert response.status_code == 202, response.text
        item: dict[str, Any] = response.json()["documents"][0]
        return item

    def job(self, job_id: str) -> dict[str, Any]:
        body: dict[str, Any] = self.http.get(f"/jobs/{job_id}").json()
        return body

    def document(self, document_id: str) -> dict[str, Any]:
        body: dict[str, Any] = self.http.get(f"/documents/{document_id}").json()
        return body

    def facts(self) -> dict[str, Any]:
        body: dict[str, Any] = self.http.get("/readyz").json()
        return body

    def ready(self) -> int:
        return int(self.facts()["documents"].get("ready", 0))


@contextmanager
def installation(folder: Path, postgres: Databases, **settings: str) -> Iterator[Installation]:
    """Nothing runs in it yet but its database and its Redis; all that is started ends with it."""
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server(folder / "redis"))
        port = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "XGTWIN_DATA_DIR": str(folder / "data"),
            "DATABASE_URL": stack.enter_context(postgres.migrated()),
            "STORE__KIND": "pgvector",
            "EMBEDDER__KIND": "none",
            "INGEST__WATCH": "off",
            "INGEST__PORT": str(port),
            "JOBS__KIND": "celery",
            "REDIS__URL": redis.url,
            **settings,
        }
        http = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False))
        found = Installation(folder, redis, environment, http)
        try:
            yield found
        finally:
            for program in found.started:
                program.kill()
