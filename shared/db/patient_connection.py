"""Connections to PostgreSQL that may wait long for a busy server, and not for one that is frozen.

A server that was stopped, or whose machine is, says nothing for ever: its kernel still acknowledges what it is sent, so
that neither keepalives nor any timeout of TCP notices. A statement may take long too, so after some silence the server
is asked for a sign of life beside it.
"""

import time
from typing import Any

from psycopg import Connection, OperationalError, errors
from psycopg.abc import RV, PQGen
from psycopg.rows import TupleRow

SILENCE_S = 5.0
"""Without a word for so long, the server is asked whether it lives; it has `connect_timeout` to say so."""
REST_S = 2.0
"""After a server said nothing, callers are refused for so long: else they would wait for it one after the other."""

_silent: dict[str, float] = {}
"""When a server was last found silent."""


class PatientConnection(Connection[TupleRow]):
    """psycopg's connection. Closed, with `OperationalError`, when the server answers nobody any more."""

    server = ""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        while True:
            try:
                return super().wait(gen, interval, SILENCE_S)
            except errors._WaitTimeout as silence:
                if not self._server_lives():
                    self.close()
                    raise OperationalError("the server answers nobody any more") from silence

    def _server_lives(self) -> bool:
        try:
            connect(self.server, self.info.dsn, password=self.info.password).close()
        except OperationalError as error:
            return "FATAL" in str(error)  # the server's own word, such as that it has too many connections
        return True


def connect(server: str, *arguments: Any, **named: Any) -> PatientConnection:
    """A connection, by psycopg's arguments; `server` names whom it is to. Raises `OperationalError`."""
    if time.monotonic() < _silent.get(server, float("-inf")) + REST_S:
        raise errors.ConnectionTimeout("the server did not answer a moment ago")
    try:
        connection = PatientConnection.connect(*arguments, **named)
    except errors.ConnectionTimeout:
        _silent[server] = time.monotonic()
        raise
    connection.server = server
    return connection
