"""The stack of docker-compose.yml as an operator starts it: in the real engine, under a project name and on ports of
its own, over pgvector, since Qdrant's image cannot be had everywhere."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any

import httpx

from tests.acceptance.product import free_ports, wait_until

ROOT = Path(__file__).parents[3]
FILES = ("docker-compose.yml", "deploy/compose.pgvector.yml", "deploy/compose.lamps.yml")
SCALE = "deploy/compose.scale.yml"
PASSED_ON = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")
TAG = "integration"
START_S = 300
_NETWORKS = count(os.getpid())
"""Two stacks cannot have the same one."""
PATIENCE_S = 120
"""For what takes a second or two here: a machine may be slow, and several tests restart half the stack."""


@dataclass(frozen=True)
class Container:
    service: str
    name: str
    state: str
    health: str


class Stack:
    """One Compose project, called after `name`. `folder` holds its .env and its watched folder."""

    def __init__(self, folder: Path, name: str = "test") -> None:
        self.watched = folder / "watched_docs"
        self.watched.mkdir()
        self.stages: list[tuple[str, float]] = []
        self.notes: list[str] = []
        self._env_file = folder / ".env"
        self.files: tuple[str, ...] = FILES
        self._project = f"xgtwin-{name}-{os.getpid()}"
        query, ingest, twin, lamps = free_ports(4)
        self.lamps_port = lamps
        self._env_file.write_text(
            f"QUERY__PORT={query}\nINGEST__PORT={ingest}\nTWIN__PORT={twin}\n"
            f"LAMPS_ON=127.0.0.1\nLAMPS_PORT={lamps}\nWATCHED_DOCS={self.watched}\n"
            f"XGTWIN_TAG={TAG}\n"
            f"EDGE_PREFIX=10.231.{next(_NETWORKS) % 250}\nQUERY__RATE_LIMIT=10000/hour\n"
            "WORKER_REPLICAS=2\nEMBEDDER__FETCH=false\nINGEST__LEASE_S=10\nINGEST__RESCAN_S=5\n"
        )
        subprocess.run(["sh", "deploy/docker/secrets.sh", str(self._env_file)], cwd=ROOT, check=True)
        self.settings = dict(line.split("=", 1) for line in self._env_file.read_text().splitlines())
        self._ports = {"query_service": query, "ingest_service": ingest, "twin_bridge": twin}

    def compose(
        self,
        *words: str,
        seconds: float = START_S,
        files: tuple[str, ...] = (),
        env_file: Path | None = None,
        stdin: IO[bytes] | None = None,
    ) -> str:
        """What `docker compose` printed, given `stdin` to read; fails with all it said if it failed."""
        command = ["docker", "compose", "-p", self._project, "--env-file", str(env_file or self._env_file)]
        for file in files or self.files:
            command += ["-f", file]
        done = subprocess.run(
            [*command, *words],
            cwd=ROOT,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            stdin=stdin or subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"docker compose {' '.join(words)}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Its time is told at the end of the run."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.stages.append((name, time.monotonic() - began))

    def containers(self) -> list[Container]:
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        rows = [json.loads(line) for line in lines]
        return [Container(row["Service"], row["Name"], row["State"], row["Health"]) for row in rows]

    def replicas(self, service: str) -> list[str]:
        """Names of the containers of one service that run."""
        return [each.name for each in self.containers() if each.service == service and each.state == "running"]

    def services(self) -> list[str]:
        """What runs all the time, in the order of their names."""
        return sorted({each.service for each in self.containers()} - {"migrate"})

    def wait_until_healthy(self, *services: str, seconds: float = PATIENCE_S) -> None:
        """All of them, or those that are named."""

        def healthy() -> bool:
            return all(
                each.state == "running" and each.health in {"healthy", ""}
                for each in self.containers()
                if each.service != "migrate" and (not services or each.service in services)
            )

        wait_until(healthy, seconds, f"healthy: {services or 'all'}; there is {self.containers()}")

    def client(self, service: str, key: str = "", *, timeout: float = 30) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        address = f"http://127.0.0.1:{self._ports[service]}"
        return httpx.Client(base_url=address, headers=headers, timeout=timeout, trust_env=False)

    @property
    def twin_url(self) -> str:
        return f"http://127.0.0.1:{self._ports['twin_bridge']}"

    @property
    def lamps_url(self) -> str:
        return f"mqtt://lamps:{self.settings['MQTT_LAMPS_PASSWORD']}@127.0.0.1:{self.lamps_port}"

    def make_key(self, name: str, *scopes: str) -> str:
        """As the operator makes it."""
        chosen = [word for scope in scopes for word in ("--scope", scope)]
        return self.compose("run", "--rm", "--no-deps", "tools", "keys", "create", name, *chosen).strip()

    def sizes(self) -> Mapping[str, int]:
        """Bytes of the image of each container, by the image's name."""
        names = {inspect(each.name, "{{.Config.Image}}") for each in self.containers()}
        return {name: int(inspect(name, "{{.Size}}")) for name in sorted({*names, f"xgtwin-tools:{TAG}"})}


def inspect(name: str, template: str) -> str:
    """One fact about an image or a container."""
    return subprocess.run(
        ["docker", "inspect", "--format", template, name], capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


def users_of(container: str) -> dict[str, set[int]]:
    """Who runs each program of a container, by user number."""
    listed = subprocess.run(
        ["docker", "top", container, "-eo", "uid,pid,comm"], capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()[1:]
    found: dict[str, set[int]] = {}
    for line in listed:
        uid, _, program = line.split(None, 2)
        found.setdefault(program, set()).add(int(uid))
    return found


def read_json(response: httpx.Response) -> Any:
    return response.raise_for_status().json()
