"""`xgtwin up` as a user starts it: its own process, free ports, a data folder of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
T = TypeVar("T")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def wait_until(condition: Callable[[], T], seconds: float, what: str) -> T:
    """The first truthy value of `condition`, asked ten times a second; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.1)


class Product:
    """A running product: HTTP clients of its services and what it printed."""

    def __init__(
        self,
        folder: Path,
        environment: dict[str, str],
        process: subprocess.Popen[str],
        ports: list[int],
        output: Path,
    ) -> None:
        self.folder = folder
        self.environment = environment
        self.watched = folder / "watched_docs"
        self.data = folder / "data"
        self.process = process
        self._output = output
        self.query, self.ingest, self.twin = (
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) for port in ports
        )
        self.twin_port = ports[2]

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def broker_port(self) -> int:
        found = re.search(r"mqtt://127\.0\.0\.1:(\d+)", self.output)
        assert found, self.output
        return int(found[1])

    def ask(self, question: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.query.post("/ask", json={"question": question}).raise_for_status().json()
        return answer

    def documents(self) -> dict[str, str]:
        """Status by name of every document."""
        page = self.ingest.get("/documents", params={"limit": 200}).raise_for_status().json()
        return {item["name"]: item["status"] for item in page["items"]}

    def wait_until_all_ready(self, seconds: float = 60) -> None:
        def settled() -> bool:
            statuses = self.documents().values()
            return bool(statuses) and set(statuses) == {"ready"}

        wait_until(lambda: "documents are searchable" in self.output and settled(), seconds, "all documents ready")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def command(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run an `xgtwin` command against this product and return what it printed."""
        return subprocess.run(
            [sys.executable, "-m", "xgtwin", *words],
            cwd=self.folder,
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


def started(folder: Path, **settings: str) -> Product:
    """Start the product over `folder` (its `watched_docs` and `data`), and wait for nothing."""
    ports = free_ports(3)
    (folder / "watched_docs").mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "QUERY__PORT": str(ports[0]),
        "INGEST__PORT": str(ports[1]),
        "TWIN__PORT": str(ports[2]),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
        "EMBEDDER__FETCH": "false",
        **settings,
    }
    output = folder / f"output-{time.monotonic_ns()}.txt"
    with output.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "xgtwin", "up"],
            cwd=folder,
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return Product(folder, environment, process, ports, output)


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Product]:
    """The product from its start-up report on; it ends afterwards, however the test went."""
    product = started(folder, **settings)
    try:

        def up() -> bool:
            assert product.process.poll() is None, product.output
            return "known" in product.output and "questions" in product.output

        wait_until(up, START_SECONDS, f"the start-up report; it printed: {product.output}")
        yield product
    finally:
        if product.process.poll() is None:
            product.kill()
