"""What an ingestion left behind: read over HTTP while the product runs, and from its data folder after it stopped."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from ingest_service.tables import ENDED, DocumentRow, JobRow
from shared.models import DEFAULT_ORGANIZATION_ID as ORG
from shared.part_settings import EmbedderSettings
from shared.parts import open_parts
from shared.settings import Settings
from tests.acceptance.product import Product

UNDER_WAY = frozenset({"queued", "parsing", "recognising", "embedding"})
INGREDIENTS = ("filename", "index", "text", "page_start", "page_end", "start", "end", "heading_path", "version")
"""What two runs must agree on in a chunk; ids differ, since documents get new ones."""


@dataclass(frozen=True)
class Traces:
    """Everything that can be compared between two ingestions of the same files."""

    documents: dict[str, tuple[Any, ...]]
    """By name: status, version, pages, number of chunks, title, note."""
    chunks: Counter[tuple[Any, ...]]
    stored: int
    """Chunks in the vector store, published or not, of any document."""
    stuck: tuple[str, ...]
    """Jobs that did not end."""
    orphans: tuple[str, ...]
    """Bytes that no document names, and half-received ones."""
    missing: tuple[str, ...]
    """Bytes that a document names and nobody has."""


def traces_of(product: Product) -> Traces:
    """Look at everything; the product is stopped on the way."""
    documents, chunks = {}, Counter[tuple[Any, ...]]()
    for item in product.ingest.get("/documents", params={"limit": 200}).raise_for_status().json()["items"]:
        facts = (item["status"], item["version"], item["pages"], item["chunks"], item["title"], item.get("note"))
        documents[item["name"]] = facts
        for chunk in product.ingest.get(f"/documents/{item['id']}/chunks").raise_for_status().json()["items"]:
            chunks[tuple(_hashable(chunk[key]) for key in INGREDIENTS)] += 1
    product.stop()
    settings = Settings(data_dir=product.data, embedder=EmbedderSettings(kind="none"))
    with open_parts(settings) as parts, Session(parts.engine) as session:
        rows = session.exec(select(DocumentRow).where(col(DocumentRow.deleted_at).is_(None))).all()
        named = {each for row in rows for each in (row.content_hash, row.published_hash) if each is not None}
        stuck = session.exec(select(JobRow).where(col(JobRow.state).not_in(ENDED))).all()
        stored = parts.store.count(ORG, published=None)
    kept = {path.name for path in (product.data / "originals").rglob("*") if path.is_file()}
    return Traces(
        documents=documents,
        chunks=chunks,
        stored=stored,
        stuck=tuple(f"{job.kind} of {job.document_id} is {job.state}" for job in stuck),
        orphans=tuple(sorted(kept - named)),
        missing=tuple(sorted(named - kept)),
    )


def differences(undisturbed: Traces, disturbed: Traces) -> list[str]:
    """What is wrong after a kill, each as a sentence; empty when nothing is."""
    wrong = [
        f"{name}: {disturbed.documents.get(name)} instead of {facts}"
        for name, facts in undisturbed.documents.items()
        if disturbed.documents.get(name) != facts
    ]
    wrong += [f"{name} is one too many" for name in disturbed.documents.keys() - undisturbed.documents.keys()]
    lost, extra = undisturbed.chunks - disturbed.chunks, disturbed.chunks - undisturbed.chunks
    if lost or extra:
        wrong.append(f"{lost.total()} chunks lost, {extra.total()} too many")
    if disturbed.stored != disturbed.chunks.total():
        wrong.append(f"the store holds {disturbed.stored} chunks, the documents {disturbed.chunks.total()}")
    wrong += [f"stuck: {job}" for job in disturbed.stuck]
    wrong += [f"orphaned bytes: {name}" for name in disturbed.orphans]
    wrong += [f"lost bytes: {name}" for name in disturbed.missing]
    return wrong


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def running_stages(data: Path) -> str:
    """What the jobs under way were at when the product died, such as `embedding`; empty if none was."""
    settings = Settings(data_dir=data, embedder=EmbedderSettings(kind="none"))
    with open_parts(settings) as parts, Session(parts.engine) as session:
        running = session.exec(select(JobRow).where(JobRow.state == "running")).all()
        return ", ".join(sorted(job.stage or job.kind for job in running))
