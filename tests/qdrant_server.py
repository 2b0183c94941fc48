"""A real Qdrant server for tests. It is opt-in: `QDRANT_BIN` names its program, which no registry of packages has."""

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.redis_server import free_port

KEY = secrets.token_hex(16)
START_S = 60.0


class QdrantServer:
    """May be killed and started again on the same port; what it acknowledged is there then."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        port, grpc_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {
            "QDRANT__SERVICE__HOST": "127.0.0.1",
            "QDRANT__SERVICE__HTTP_PORT": str(port),
            "QDRANT__SERVICE__GRPC_PORT": str(grpc_port),
            "QDRANT__SERVICE__API_KEY": KEY,
            "QDRANT__STORAGE__STORAGE_PATH": str(folder / "storage"),
            "QDRANT__STORAGE__SNAPSHOTS_PATH": str(folder / "snapshots"),
            "QDRANT__TELEMETRY_DISABLED": "true",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "qdrant.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary], cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert time.monotonic() < deadline, (self._folder / "qdrant.log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def qdrant_server(folder: Path) -> Iterator[QdrantServer]:
    """One of our own, which may be killed, over an empty folder."""
    binary = os.environ.get("QDRANT_BIN")
    if not binary:
        pytest.skip("opt-in: set QDRANT_BIN to the program of a Qdrant server")
    folder.mkdir(parents=True, exist_ok=True)
    server = QdrantServer(binary, folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
