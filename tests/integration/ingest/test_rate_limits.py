"""Who sends too much is told so, before what he sends is read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.ingest.service import Service, running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, workers=0, rate_limit="2/hour") as service:
        yield service


async def test_uploads_and_new_versions_draw_on_one_budget(service: Service):
    first = await service.upload("a.txt", b"Um texto.")
    assert (first.status_code, first.headers["RateLimit"][:20]) == (202, '"ingest-3600s";r=1;t')
    document_id = first.json()["documents"][0]["id"]
    version = {"files": ("a.txt", b"Outro texto.")}
    assert (await service.http.put(f"/documents/{document_id}", files=version)).status_code == 202
    third = await service.upload("b.txt", b"Mais um.")
    assert third.status_code == 429
    assert int(third.headers["Retry-After"]) > 3500
    assert "INGEST__RATE_LIMIT" in third.json()["detail"]
    assert (await service.http.put(f"/documents/{document_id}", files=version)).status_code == 429
    listed = await service.http.get("/documents")
    assert [item["name"] for item in listed.json()["items"]] == ["a.txt"], "reading is not limited"
