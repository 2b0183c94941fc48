"""A document at which every attempt fails is set aside, and can be tried again when the reason is gone."""

from pathlib import Path

import pytest

from ingest_service.documents.versions import Versions
from ingest_service.jobs.outcomes import UNEXPECTED
from tests.integration.ingest.service import running


async def test_a_document_that_fails_at_every_attempt_is_quarantined_and_can_be_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    async with running(tmp_path, max_attempts=2) as service:
        with monkeypatch.context() as broken:
            broken.setattr(Versions, "ready", failing)
            document = await service.add("nota.txt", b"Uma nota.")
        assert (document["status"], document["error"]) == ("quarantined", UNEXPECTED)
        (job,) = (await service.http.get("/jobs", params={"document_id": document["id"]})).json()["items"]
        assert (job["state"], job["attempts"]) == ("failed", 2)
        assert list(await service.documents(status="quarantined")) == ["nota.txt"]
        await service.http.post(f"/jobs/{job['id']}/retry")
        assert (await service.settled(document["id"]))["status"] == "ready"
