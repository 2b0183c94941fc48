"""The services as processes of their own, over vectors on a Qdrant server: one of ingest, two of query."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.acceptance.product import ROOT, free_ports, wait_until
from tests.qdrant_server import KEY, QdrantServer, qdrant_server

PATIENCE_S = 200
"""A job that finds no store pauses for up to a minute."""
FOLLOWED_S = 60
pytestmark = pytest.mark.timeout(900)


@dataclass
class Apart:
    folder: Path
    server: QdrantServer
    environment: dict[str, str]
    ingest: httpx.Client
    queries: list[httpx.Client]
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, module: str, **settings: str) -> None:
        with (self.folder / f"{module}-{len(self.programs)}.log").open("wb") as log:
            self.programs.append(
                subprocess.Popen(
                    [sys.executable, "-m", module],
                    cwd=self.folder,
                    env={**self.environment, **settings},
                    stdout=log,
                    stderr=log,
                )
            )

    def kill(self) -> None:
        for program in self.programs:
            program.kill()
            program.wait()

    def command(self, *words: str, **settings: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "xgtwin", *words],
            cwd=self.folder,
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def add(self, name: str, text: str) -> None:
        self.ingest.post("/documents", files={"files": (name, text.encode())}).raise_for_status()

    def wait_until_ready(self, *names: str) -> None:
        def ready() -> bool:
            items = self.ingest.get("/documents").raise_for_status().json()["items"]
            return {item["name"] for item in items if item["status"] == "ready"} >= set(names)

        wait_until(ready, PATIENCE_S, f"{names} to be ready; {self.logs()}")

    def sources(self, question: str) -> list[list[str]]:
        """What each query service cites."""
        answers = [query.post("/ask", json={"question": question}).raise_for_status().json() for query in self.queries]
        return [[citation["filename"] for citation in answer["citations"]] for answer in answers]

    def logs(self) -> str:
        return "\n".join(log.read_text()[-2000:] for log in sorted(self.folder.glob("*.log")))


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    with ExitStack() as stack:
        server = stack.enter_context(qdrant_server(tmp_path / "qdrant"))
        ingest, *queries = free_ports(3)
        (tmp_path / "watched_docs").mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "XGTWIN_DATA_DIR": str(tmp_path / "data"),
            "STORE__QDRANT_URL": server.url,
            "STORE__QDRANT_API_KEY": KEY,
            "EMBEDDER__KIND": "none",
            "INGEST__PORT": str(ingest),
            "INGEST__URL": f"http://127.0.0.1:{ingest}",
        }
        clients = [
            stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False))
            for port in (ingest, *queries)
        ]
        there = Apart(tmp_path, server, environment, clients[0], clients[1:])
        stack.callback(there.kill)
        there.start("ingest_service")
        for port in queries:
            there.start("query_service", QUERY__PORT=str(port))

        def answers() -> bool:
            try:
                return all(client.get("/readyz").is_success for client in clients)
            except httpx.TransportError:
                return False

        wait_until(answers, 120, f"the services to be ready; {there.logs()}")
        yield there


def test_two_query_services_follow_what_ingest_does_through_a_kill_of_the_server_and_a_swap(apart: Apart):
    apart.add("torre.txt", "A torre de Santana tem quarenta metros de altura.")
    apart.wait_until_ready("torre.txt")
    torre = "Qual é a altura da torre de Santana?"
    assert apart.sources(torre) == [["torre.txt"]] * 2

    apart.server.kill()
    apart.add("ponte.txt", "A ponte de Itajubá foi inaugurada em 1931.")
    for query in apart.queries:
        refused = query.post("/ask", json={"question": "Quando foi inaugurada a ponte de Itajubá?"})
        assert refused.status_code == 503, refused.text
        assert int(refused.headers["Retry-After"]) > 0
        assert query.get("/readyz").status_code == 503
    apart.server.start()
    apart.wait_until_ready("torre.txt", "ponte.txt")
    assert apart.sources("Quando foi inaugurada a ponte de Itajubá?") == [["ponte.txt"]] * 2

    before = apart.ingest.get("/generations").json()["current"]
    apart.command("reindex")
    assert apart.ingest.get("/generations").json()["current"] > before
    assert apart.sources("Que altura tem a torre de Santana?") == [["torre.txt"]] * 2
    apart.add("lago.txt", "O lago de Furnas tem a cor do jade.")
    apart.wait_until_ready("lago.txt")
    lago = "Qual é a cor do lago de Furnas?"
    wait_until(lambda: apart.sources(lago) == [["lago.txt"]] * 2, FOLLOWED_S, "both to follow the swap")


def test_a_backup_of_vectors_on_a_server_is_restored_beside_them(apart: Apart):
    apart.add("torre.txt", "A torre de Santana tem quarenta metros de altura.")
    apart.wait_until_ready("torre.txt")
    apart.command("backup", "--to", str(apart.folder / "backups"))
    (made,) = (apart.folder / "backups").glob("*.zip")
    elsewhere = {"XGTWIN_DATA_DIR": str(apart.folder / "elsewhere"), "STORE__COLLECTION": "elsewhere"}
    apart.command("restore", str(made), **elsewhere)
    (port,) = free_ports(1)
    apart.start("query_service", **elsewhere, QUERY__PORT=str(port))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as query:
        apart.queries = [query]

        def answers() -> bool:
            try:
                return query.get("/livez").is_success
            except httpx.TransportError:
                return False

        wait_until(answers, 120, f"the restored query service; {apart.logs()}")
        assert apart.sources("Qual é a altura da torre de Santana?") == [["torre.txt"]]
