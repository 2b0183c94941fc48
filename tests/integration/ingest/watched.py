"""Help for tests of the watched folder: the service over it, and what it takes to play accidents."""

import ctypes
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.integration.ingest.service import Service, running, until


@asynccontextmanager
async def watching(folder: Path, mode: str, **ingest: Any) -> AsyncIterator[Service]:
    """The service over `folder` after its first scan. By events no rescan comes to help."""
    async with running(folder, **{"watch": mode, "rescan_s": 600, "poll_s": 0.5, **ingest}) as service:

        async def scanned() -> bool:
            return bool((await service.facts())["scanned"])

        await until(scanned, "the first scan", 60)
        yield service


async def scan(service: Service, **options: bool) -> dict[str, Any]:
    """The report of a scan by request."""
    report: dict[str, Any] = (await service.http.post("/sources/watch/scan", params=options)).json()
    return report


def told(report: dict[str, Any], what: str) -> dict[str, str]:
    """The files of which the report tells this, with the details."""
    return {change["path"]: change["detail"] for change in report["changes"] if change["what"] == what}


async def ready(service: Service, count: int, seconds: float = 30) -> dict[str, dict[str, Any]]:
    """All documents, once `count` are ready."""

    async def all_ready() -> dict[str, dict[str, Any]] | None:
        documents = await service.documents(status="ready")
        return documents if len(documents) == count else None

    return await until(all_ready, f"{count} documents", seconds)


async def version(service: Service, document_id: str, number: int) -> dict[str, Any]:
    """The document, once this version of it is published."""

    async def published() -> dict[str, Any] | None:
        document = await service.document(document_id)
        return document if document.get("published_version") == number else None

    return await until(published, f"version {number}")


async def source(service: Service, document_id: str, key: str) -> dict[str, Any]:
    """The document, once this path is its only source."""

    async def there() -> dict[str, Any] | None:
        document = await service.settled(document_id)
        return document if [source["key"] for source in document["sources"]] == [key] else None

    return await until(there, f"the source {key}")


async def held_back(service: Service, count: int) -> str:
    """The note, once so many documents are held back."""

    async def held() -> str | None:
        facts = await service.facts()
        return facts["held_back_note"] if facts["held_back"] == count else None

    return await until(held, f"{count} documents to be held back")


async def released(service: Service) -> None:
    """Wait until nothing is held back any more."""

    async def free() -> bool:
        facts = await service.facts()
        return (facts["held_back"], facts["held_back_note"]) == (0, "")

    await until(free, "nothing to be held back")


def mount(disk: Path, place: Path) -> None:
    """Show one folder in the place of another."""
    subprocess.run(["mount", "--bind", str(disk), str(place)], check=True)


def unmount(place: Path, *, surely: bool = True) -> None:
    """Undo `mount`; without `surely` it may have been undone already."""
    subprocess.run(["umount", str(place)], check=surely)


def wait_for_file(path: Path) -> None:
    """Return when another program has made the file."""
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


@contextmanager
def without_root_rights() -> Iterator[None]:
    """File permissions hold inside the context, also for root: for this thread, and for those that it starts."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3 of the interface, this thread
    before = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice 32 bits
    assert libc.capget(header, before) == 0
    less = (ctypes.c_uint32 * 6)(*before)
    less[0] &= ~(1 << 1 | 1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(header, less) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0
