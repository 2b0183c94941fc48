"""Who holds a lease, and whether that process still lives."""

import os
import socket
import uuid
from dataclasses import dataclass

_BOOT = uuid.uuid4().hex
"""Tells this run of the process from an earlier one with the same number: in containers every process is number 1."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, written `host:pid:boot`."""

    host: str
    pid: int
    boot: str

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.boot}"

    @classmethod
    def parse(cls, text: str) -> "Owner":
        host, pid, boot = text.rsplit(":", 2)
        return cls(host, int(pid), boot)

    @classmethod
    def this_process(cls) -> "Owner":
        return cls(socket.gethostname(), os.getpid(), _BOOT)

    def surely_dead(self, here: "Owner") -> bool:
        """Whether the owner is known to be gone. False may also mean: on another machine, who knows."""
        if self.host != here.host or self == here:
            return False
        return self.pid == here.pid or not _alive(self.pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
