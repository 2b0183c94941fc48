"""Vectors on a Qdrant server, and what becomes of documents when it is killed."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.part_settings import StoreSettings
from tests.integration.ingest.documents import long_text
from tests.integration.ingest.service import Service, running
from tests.qdrant_server import KEY, QdrantServer, qdrant_server

PATIENCE_S = 200
"""A job that finds no store pauses for up to a minute."""
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[QdrantServer]:
    with qdrant_server(tmp_path / "qdrant") as server:
        yield server


@pytest.fixture
async def service(tmp_path: Path, server: QdrantServer) -> AsyncIterator[Service]:
    vectors = StoreSettings(qdrant_url=server.url, qdrant_api_key=SecretStr(KEY))
    async with running(tmp_path, store=vectors) as service:
        yield service


async def test_documents_come_and_go_while_the_server_does(service: Service, server: QdrantServer):
    kept = await service.add("manual.txt", long_text(200).encode())
    gone = await service.add("antena.txt", b"A antena foi trocada em maio.")
    stored = await service.chunks_of(kept["id"])
    assert stored > 20

    server.kill()
    accepted = await service.upload("torre.txt", b"A torre foi pintada.")
    assert accepted.status_code == 202, "the ledger is elsewhere"
    assert (await service.http.delete(f"/documents/{gone['id']}")).is_success
    unready = await service.http.get("/readyz")
    assert unready.status_code == 503
    assert "STORE__QDRANT_URL" in unready.text
    assert (await service.http.get("/livez")).status_code == 200

    server.start()
    assert await service.chunks_of(kept["id"]) == stored, "what was acknowledged outlives a kill"
    assert (await service.http.get("/readyz")).status_code == 200
    await service.named("torre.txt", seconds=PATIENCE_S)
    await service.gone("antena.txt", seconds=PATIENCE_S)
    assert await service.found("torre pintada") == ["torre.txt"]
    assert "antena.txt" not in await service.found("antena trocada")
