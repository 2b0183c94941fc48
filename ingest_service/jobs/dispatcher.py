"""The `Dispatcher` port: how work that stands in the ledger comes to those who do it."""

from collections.abc import Callable, Mapping
from typing import Protocol

from ingest_service.jobs.ledger import Job


class Dispatcher(Protocol):
    """Thread-safe. The ledger is the one truth: what gets lost or doubled here costs time and never a job."""

    def start(self, run: Callable[[Job], None]) -> None:
        """Begin. `run` does one job and never raises; it is not called where the workers are other processes."""
        ...

    def wake(self) -> None:
        """There may be new work. Never waits, never raises, safe to repeat."""
        ...

    def stopping(self) -> bool:
        """Whether jobs in hand shall be given back between two of their steps."""
        ...

    def stop(self) -> None:
        """Take no further job, and return when those in hand ended or were given back, or after a few seconds."""
        ...

    def facts(self) -> Mapping[str, object]:
        """For `/readyz`: who works, and whether he can be reached. Cheap, never raises."""
        ...
