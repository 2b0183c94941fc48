"""Throughput of worker processes side by side, and 1,000 documents of two organizations dropped at once.

    python -m benchmarks.ingest_workers [--documents 1000] [--workers 1 2 4]

Real processes over PostgreSQL with pgvector and Redis, words alone (no embedding model). Nine tenths of the documents
are the first organization's and arrive before the first of the second one's; workers begin when all are there. Shown:

- documents a second, from the first one taken to the last one ready, and the processor time that all workers with their
  reading processes spent on each document, one at a time in each: what bounds the rate on a machine of few cores;
- the place in the order at which the second organization had its last document taken (with fair turns twice its share);
- memory of the service and of its greediest worker, proportional, with their reading processes: after a quarter of the
  time, at most, at the end;
- how many looks at the counts, one a second, saw more documents ready than the look before.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session, col, func, select, update

from benchmarks.ingest_many import BATCH, file_number
from ingest_service.tables import DocumentRow, JobRow
from shared.auth.keys import Scope, create_key
from shared.auth.tables import ApiKey, Organization
from shared.db.engine import open_engine
from shared.settings import Settings
from tests.integration.ingest.worker_processes import Installation, installation
from tests.postgres import Databases, databases
from tests.processes import cpu_s, descendants, proportional_mb

SHARE_OF_THE_FIRST = 0.9
LOOK_S = 1.0
PATIENCE_S = 3600.0


@dataclass
class Seen:
    """What was looked at while the workers worked."""

    service_mb: list[float] = field(default_factory=list)
    worker_mb: list[float] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return sum(after != before for before, after in zip(self.ready, self.ready[1:], strict=False))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    options = parser.parse_args()
    columns = ("workers", "documents/s", "CPU s each", "second done at", "service MiB", "worker MiB", "steps seen")
    print("".join(f"{column:>16}" for column in columns), flush=True)
    with databases() as postgres:
        for count in options.workers:
            with tempfile.TemporaryDirectory() as folder:
                measure(Path(folder), postgres, count, options.documents)
    return 0


def measure(folder: Path, postgres: Databases, workers: int, documents: int) -> None:
    with installation(folder, postgres, XGTWIN_AUTH="on") as there:
        service = there.service()
        first, second = keys(there)
        begin_with_second = int(documents * SHARE_OF_THE_FIRST) // BATCH * BATCH
        for start in range(0, documents, BATCH):
            send(there, start, first if start < begin_with_second else second)
        programs = [there.worker() for _ in range(workers)]
        while there.ready() == 0:
            time.sleep(LOOK_S / 10)
        before_s = sum(cpu_s(each.process.pid, *descendants(each.process.pid)) for each in programs)
        seen, deadline = Seen(), time.monotonic() + PATIENCE_S
        while not seen.ready or seen.ready[-1] < documents:
            assert time.monotonic() < deadline, there.facts()
            time.sleep(LOOK_S)
            seen.ready.append(there.ready())
            seen.service_mb.append(memory(service.process.pid))
            seen.worker_mb.append(max(memory(program.process.pid) for program in programs))
        spent_s = sum(cpu_s(each.process.pid, *descendants(each.process.pid)) for each in programs) - before_s
        seconds, place = order(there, second_has=documents - begin_with_second)
        row = (
            str(workers),
            f"{documents / seconds:.1f}",
            f"{spent_s / documents:.2f}",
            f"{place} of {documents}",
            span(seen.service_mb),
            span(seen.worker_mb),
            f"{seen.steps} of {len(seen.ready) - 1}",
        )
        print("".join(f"{value:>16}" for value in row), flush=True)


def keys(there: Installation) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Headers of two organizations."""
    engine = open_engine(Settings(_env_file=None, database_url=there.settings["DATABASE_URL"]))
    first, second = (create_key(engine, name, [Scope.ADMIN]) for name in ("first", "second"))
    with Session(engine) as session:
        organization = Organization(name="second")
        session.add(organization)
        session.flush()
        session.exec(update(ApiKey).where(col(ApiKey.name) == "second").values(organization_id=organization.id))
        session.commit()
    engine.dispose()
    return {"X-API-Key": first}, {"X-API-Key": second}


def send(there: Installation, start: int, headers: Mapping[str, str]) -> None:
    files = [("files", file_number(number)) for number in range(start, start + BATCH)]
    there.http.post("/documents", files=files, headers=headers, timeout=300).raise_for_status()


def order(there: Installation, *, second_has: int) -> tuple[float, int]:
    """Seconds from the first document taken to the last one ready, and at which place the smaller organization's last
    one was taken."""
    engine = open_engine(Settings(_env_file=None, database_url=there.settings["DATABASE_URL"]))
    with Session(engine) as session:
        taken = session.exec(select(JobRow.organization_id).order_by(col(JobRow.started_at))).all()
        begun, ended = session.exec(
            select(func.min(JobRow.started_at), func.max(DocumentRow.updated_at)).join(DocumentRow)
        ).one()
    engine.dispose()
    assert begun is not None
    assert ended is not None
    places = [place for place, one in enumerate(taken, 1) if taken.count(one) == second_has]
    return (ended - begun).total_seconds(), places[-1]


def memory(pid: int) -> float:
    return proportional_mb(pid, *descendants(pid))


def span(values: list[float]) -> str:
    return f"{values[len(values) // 4]:.0f} {max(values):.0f} {values[-1]:.0f}"


if __name__ == "__main__":
    sys.exit(main())
