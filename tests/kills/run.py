"""One ingestion of the thirty documents, killed at a given moment and started again, or left alone."""

import contextlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.acceptance.product import Product, started, wait_until
from tests.kills.documents import Document
from tests.kills.traces import UNDER_WAY, Traces, running_stages, traces_of
from tests.processes import command, descendants

SETTINGS = {"INGEST__WORKERS": "2", "INGEST__LEASE_S": "5", "INGEST__RESCAN_S": "2", "TWIN__DEMO_LAMP": "false"}
START_SECONDS = 90.0
SETTLE_SECONDS = 180.0
GONE_SECONDS = 20.0
"""Reading processes end with their service, at the latest between two documents."""


@dataclass(frozen=True)
class Run:
    """How one run went. Times in seconds."""

    traces: Traces
    ingestion_s: float
    """From the first answer of the (last) process to the last document settled."""
    killed_in: str
    """What was under way at the kill."""
    left_over: tuple[int, ...]
    """Processes that outlived their service."""


def run(folder: Path, documents: list[Document], *, kill_after_s: float | None = None) -> Run:
    """Ingest in `folder`, which is made; `kill_after_s` counts from the service's first answer."""
    folder.mkdir(parents=True)
    watched = folder / "watched_docs"
    watched.mkdir()
    for document in documents:
        if not document.uploaded:
            (watched / document.name).write_bytes(document.data)
    killed_in = ""
    left_over: tuple[int, ...] = ()
    if kill_after_s is not None:
        left_over = _killed(folder, documents, kill_after_s)
        killed_in = running_stages(folder / "data")
    product = started(folder, **SETTINGS)
    try:
        wait_until(lambda: _answers(product), START_SECONDS, f"an answer; it printed: {product.output}")
        began = time.monotonic()
        _upload(product, documents)
        wait_until(lambda: _settled(product, len(documents)), SETTLE_SECONDS, "all documents to be settled")
        ingestion_s = time.monotonic() - began
        family = set(descendants(product.process.pid))
        traces = traces_of(product)
        return Run(traces, ingestion_s, killed_in, left_over + _remaining(family))
    finally:
        if product.process.poll() is None:
            product.kill()


def _killed(folder: Path, documents: list[Document], kill_after_s: float) -> tuple[int, ...]:
    """Start, upload, and kill in the middle of whatever is going on; the processes that are left over."""
    product = started(folder, **SETTINGS)
    family: set[int] = set()

    def kill() -> None:
        family.update(descendants(product.process.pid))
        product.kill()

    timer = threading.Timer(kill_after_s, kill)
    try:
        wait_until(lambda: _answers(product), START_SECONDS, f"an answer; it printed: {product.output}")
        timer.start()
        with contextlib.suppress(httpx.TransportError):
            _upload(product, documents)
        timer.join()
    finally:
        timer.cancel()
        product.kill()
    return _remaining(family)


def _upload(product: Product, documents: list[Document]) -> None:
    """Send what comes by upload, as a client does that repeats everything after a failure."""
    for document in documents:
        if document.uploaded:
            response = product.ingest.post("/documents", files={"files": (document.name, document.data)})
            assert response.status_code < 500, response.text


def _answers(product: Product) -> bool:
    assert product.process.poll() is None, product.output
    try:
        return product.ingest.get("/livez").is_success
    except httpx.TransportError:
        return False


def _settled(product: Product, count: int) -> bool:
    documents = product.documents()
    return len(documents) == count and not set(documents.values()) & UNDER_WAY


def _remaining(family: set[int]) -> tuple[int, ...]:
    """Those that still live after a while."""
    deadline = time.monotonic() + GONE_SECONDS
    while (alive := {pid for pid in family if command(pid)}) and time.monotonic() < deadline:
        time.sleep(0.1)
    return tuple(sorted(alive))
