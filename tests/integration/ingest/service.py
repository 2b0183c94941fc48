"""The real ingest application with its lifespan, in this process; by default over SQLite and the embedded vectors."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine

from ingest_service.bootstrap import build_app
from ingest_service.passages import chunking
from shared.db.engine import migrate, open_engine
from shared.embeddings.lexical import LexicalEncoder
from shared.embeddings.model import EmbeddingModel, Present
from shared.embeddings.protocol import Embedder
from shared.models import DEFAULT_ORGANIZATION_ID as ORG
from shared.models import Filters
from shared.part_settings import StoreSettings
from shared.settings import IngestSettings, Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.generational_store import GenerationalStore
from shared.vector_store.protocol import SearchRequest

T = TypeVar("T")


async def until(condition: Callable[[], Awaitable[T | None]], what: str, seconds: float = 15) -> T:
    """The first truthy value of `condition`; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := await condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.02)
    return value


@dataclass
class Service:
    """A running service: its HTTP client, and the parts below for looking behind it."""

    app: FastAPI
    http: httpx.AsyncClient
    store: GenerationalStore
    engine: Engine
    watched: Path
    data: Path

    async def upload(self, name: str, data: bytes, **form: str) -> httpx.Response:
        return await self.http.post("/documents", files={"files": (name, data)}, data=form)

    async def add(self, name: str, data: bytes) -> dict[str, Any]:
        """Upload and wait until it is settled; the document."""
        response = await self.upload(name, data)
        assert response.is_success, response.text
        return await self.settled(response.json()["documents"][0]["id"])

    async def document(self, document_id: str) -> dict[str, Any]:
        body: dict[str, Any] = (await self.http.get(f"/documents/{document_id}")).json()
        return body

    async def settled(self, document_id: str, seconds: float = 30) -> dict[str, Any]:
        """The document once no job of it is under way."""

        async def rest() -> dict[str, Any] | None:
            document = await self.document(document_id)
            unfinished = {"document_id": document_id, "state": "queued,running"}
            jobs = (await self.http.get("/jobs", params=unfinished)).json()["items"]
            return None if jobs or document["status"] in {"queued", "parsing", "embedding"} else document

        return await until(rest, f"document {document_id} to settle", seconds)

    async def documents(self, **query: str) -> dict[str, dict[str, Any]]:
        """All documents by name."""
        page = (await self.http.get("/documents", params={"limit": 200, **query})).json()
        return {item["name"]: item for item in page["items"]}

    async def named(self, name: str, status: str = "ready", seconds: float = 15) -> dict[str, Any]:
        """The document of this name once it has this status."""

        async def there() -> dict[str, Any] | None:
            document = (await self.documents()).get(name)
            return document if document and document["status"] == status else None

        return await until(there, f"{name} to be {status}", seconds)

    async def gone(self, name: str, seconds: float = 15) -> None:
        async def away() -> bool:
            return name not in await self.documents()

        await until(away, f"{name} to be gone", seconds)

    async def job(self, job_id: str, *states: str) -> dict[str, Any]:
        """The job once it is in one of these states."""

        async def there() -> dict[str, Any] | None:
            job: dict[str, Any] = (await self.http.get(f"/jobs/{job_id}")).json()
            return job if job["state"] in states else None

        return await until(there, f"job {job_id} to be {states}")

    async def found(self, question: str, filters: Filters | None = None) -> list[str]:
        """Names of the documents that a search finds, best first."""
        request = SearchRequest(ORG, LexicalEncoder().passage(question), limit=20, filters=filters or Filters())
        results = await asyncio.to_thread(self.store.search, request)
        return [result.chunk.filename for result in results]

    async def chunks_of(self, document_id: str) -> int:
        return await asyncio.to_thread(self.store.count, ORG, UUID(document_id), published=None)

    async def facts(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.http.get("/readyz")).json()
        return body


@asynccontextmanager
async def running(
    folder: Path,
    *,
    auth: str = "off",
    embedder: Embedder | None = None,
    model: EmbeddingModel | None = None,
    database_url: str = "",
    store: StoreSettings | None = None,
    **ingest: Any,
) -> AsyncIterator[Service]:
    """The service over `folder` (its `watched` and `data`); the same folder twice is a restart."""
    watched = folder / "watched"
    options: dict[str, Any] = {"watch": "off", "watch_dir": watched, **ingest}
    settings = Settings(
        data_dir=folder / "data",
        ingest=IngestSettings(**options),
        auth=auth,
        database_url=database_url,
        store=store or StoreSettings(),
    )
    watched.mkdir(exist_ok=True)
    model = model or Present(embedder)
    engine = open_engine(settings)
    migrate(engine)
    opened = open_store(settings, model.current(), chunker=chunking.FINGERPRINT)
    try:
        app = build_app(settings, engine=engine, store=opened, model=model)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://ingest", timeout=60) as http,
        ):
            yield Service(app, http, opened, engine, watched, settings.data_dir)
    finally:
        opened.close()
        engine.dispose()
