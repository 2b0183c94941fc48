"""Which of several processes over one database does what only one may do.

PostgreSQL: an advisory lock of a connection of its own, which the server frees when that ends. SQLite, whose processes
are of one machine: a lock on a file beside the database, which the system frees. So whoever is killed is succeeded
within `LOOK_S`, and nobody waits after a restart.
"""

import fcntl
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import AGAIN_S, AWAY
from shared.errors import Unavailable
from shared.observability.logs import get_logger

log = get_logger(__name__)

LOOK_S = 1.0
"""Between two looks at whether one leads; for so long two processes may think so after the database was away."""
_UNREACHABLE = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"
"""PostgreSQL frees the lock of a machine that vanished after 11 s, and not after two hours."""


class Leadership:
    """The lead in `name` among the processes over one database. One thread at a time."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._name = engine, name
        self._connection: Connection | None = None
        self._file: IO[bytes] | None = None
        self._leading = False
        self.term = 0
        """How often the lead was taken: between two terms another process may have led."""

    def held(self) -> bool:
        """Whether this process leads; it does from now on, if nobody else does.

        Raises `Unavailable` while the database does not tell: another process may lead meanwhile.
        """
        held = self._held_in_postgres() if self._engine.dialect.name == "postgresql" else self._held_beside_sqlite()
        if held and not self._leading:
            self.term += 1
            log.info("lead_taken", what=self._name)
        self._leading = held
        return held

    def give_up(self) -> None:
        """Let another process lead; safe to repeat."""
        self._leading = False
        if self._connection is not None:
            self._connection.invalidate()  # a connection that went back to the pool would keep the lock
            self._connection.close()
            self._connection = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _held_in_postgres(self) -> bool:
        try:
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                self._connection.exec_driver_sql(_UNREACHABLE)
            if self._leading:
                self._connection.execute(text("SELECT 1"))
                return True
            taken = self._connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _key(self._name)})
            return bool(taken.scalar())
        except (SQLAlchemyError, Unavailable) as error:
            self.give_up()
            raise Unavailable(AWAY, retry_after=AGAIN_S) from error

    def _held_beside_sqlite(self) -> bool:
        if self._file is not None:
            return True
        file = Path(f"{self._engine.url.database}.{self._name}.lock").open("ab")  # noqa: SIM115 - held while we lead
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not inherited by children, unlike flock
        except OSError:
            file.close()
            return False
        self._file = file
        return True


class Leader:
    """A thread that keeps looking whether this process leads. `leads` may be asked from any thread."""

    def __init__(self, leadership: Leadership, begin: Callable[[], None]) -> None:
        """`begin` is called whenever the lead was taken, before `leads` says so; if it raises, it is called again."""
        self.leads = False
        self._leadership, self._begin, self._begun = leadership, begin, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"leader-{id(self)}", daemon=True)

    def start(self) -> None:
        """Look once, raising what `begin` raises; then go on looking in the background."""
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """Let another process lead."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.leads = False
        self._leadership.give_up()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self._look()
            except Unavailable as error:
                if self.leads:  # once an outage, not every second
                    log.warning("lead_lost", reason=error.detail)
                self.leads = False
            except Exception as error:
                log.error("lead_not_begun", exc_info=error)

    def _look(self) -> None:
        held, term = self._leadership.held(), self._leadership.term
        if held and term != self._begun:
            self._begin()
            self._begun = term
        self.leads = held


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"xgtwin:{name}".encode()).digest()[:8], "big", signed=True)
