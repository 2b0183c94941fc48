"""Tables and vectors in PostgreSQL, and what becomes of documents while it is away."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.part_settings import StoreSettings
from tests.integration.ingest.service import Service, running, until
from tests.postgres import LocalPostgres, local_postgres


@pytest.fixture(scope="module")
def server() -> Iterator[LocalPostgres]:
    """One of our own, which may be stopped."""
    with local_postgres() as server:
        yield server


@pytest.fixture
async def service(tmp_path: Path, server: LocalPostgres) -> AsyncIterator[Service]:
    vectors = StoreSettings(kind="pgvector")
    async with running(tmp_path, database_url=server.url("postgres"), store=vectors, poll_s=0.2) as service:
        yield service


async def test_documents_come_and_go_while_the_database_does(service: Service, server: LocalPostgres):
    before = await service.add("antena.txt", b"A antena foi trocada em maio.")
    assert await service.found("antena trocada") == ["antena.txt"]

    server.stop()
    refused = await service.upload("torre.txt", b"A torre foi pintada.")
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert "DATABASE_URL" in refused.json()["detail"]
    assert int(refused.headers["Retry-After"]) > 0
    assert (await service.http.get("/documents")).status_code == 503
    assert (await service.http.get("/livez")).status_code == 200
    assert (await service.http.get("/readyz")).status_code == 503

    server.start()
    assert (await service.http.get("/documents")).status_code == 200
    await service.add("torre.txt", b"A torre foi pintada.")

    async def ready() -> bool:
        return (await service.http.get("/readyz")).status_code == 200

    await until(ready, "the service to be ready again")
    assert await service.found("torre pintada") == ["torre.txt"]
    assert (await service.http.delete(f"/documents/{before['id']}")).is_success
    await service.gone("antena.txt")
