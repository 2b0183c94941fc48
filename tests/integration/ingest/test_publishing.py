"""A document that takes long to publish keeps nobody waiting but who would change it."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ingest_service.documents import intake
from shared.models import DEFAULT_ORGANIZATION_ID as ORG
from shared.vector_store.generational_store import GenerationalStore
from tests.integration.ingest.service import running

PATIENCE_S = 60.0


class Slow:
    """The store takes as long as one likes over the first document that is published."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    @contextmanager
    def publishing(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        publish = GenerationalStore.publish

        def slowly(*given: Any) -> None:
            publish(*given)
            if not self.begun.is_set():
                self.begun.set()
                assert self.go_on.wait(PATIENCE_S)

        monkeypatch.setattr(GenerationalStore, "publish", slowly)
        try:
            yield
        finally:
            self.go_on.set()


async def test_other_documents_come_change_and_go_while_one_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    slow = Slow()
    async with running(tmp_path, workers=2) as service:
        other = await service.add("outro.txt", b"A torre foi pintada.")
        with slow.publishing(monkeypatch):
            book = (await service.upload("livro.txt", b"A antena foi trocada.")).json()["documents"][0]
            assert await asyncio.to_thread(slow.begun.wait, PATIENCE_S)
            await service.add("novo.txt", b"O motor foi limpo.")
            await service.add("outro.txt", b"A torre caiu.")
            assert (await service.http.delete(f"/documents/{other['id']}")).is_success
            await service.gone("outro.txt")
            assert (await service.document(book["id"]))["status"] == "embedding"
        assert (await service.settled(book["id"]))["status"] == "ready"


async def test_a_version_that_comes_while_the_one_before_is_published_waits_until_the_ledger_tells_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    slow = Slow()
    monkeypatch.setattr(intake, "PATIENCE_S", PATIENCE_S)
    async with running(tmp_path, workers=2) as service:
        with slow.publishing(monkeypatch):
            book = (await service.upload("livro.txt", b"A antena foi trocada.")).json()["documents"][0]
            assert await asyncio.to_thread(slow.begun.wait, PATIENCE_S)
            without_text = asyncio.create_task(service.upload("livro.txt", b" \n "))
            cancelled = asyncio.create_task(service.http.post(f"/jobs/{book['job_id']}/cancel"))
            await asyncio.wait([without_text, cancelled], timeout=0.5)
            assert not without_text.done()
            assert not cancelled.done()
        assert (await without_text).status_code == 202
        await cancelled
        document = await service.settled(book["id"])
        chunks = await asyncio.to_thread(service.store.chunks, ORG, UUID(book["id"]))
        assert document["status"] in {"no_text", "failed"}  # cancelled, if that was asked for after its arrival
        assert (document["version"], document["published_version"]) == (2, 1)
        assert [chunk.version for chunk in chunks] == [1]
        assert (await service.http.get(f"/documents/{book['id']}/content")).is_success, "its bytes are kept"


async def test_senders_of_its_next_version_are_told_to_come_back_and_block_no_other_upload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    slow = Slow()
    async with running(tmp_path, workers=2) as service:
        with slow.publishing(monkeypatch):
            book = (await service.upload("livro.txt", b"A antena foi trocada.")).json()["documents"][0]
            assert await asyncio.to_thread(slow.begun.wait, PATIENCE_S)
            threads = min(32, (os.cpu_count() or 1) + 4)  # those of asyncio
            versions = [service.upload("livro.txt", f"Outra antena, a {n}.".encode()) for n in range(threads)]
            answers = await asyncio.wait_for(asyncio.gather(*versions), PATIENCE_S / 2)
            assert {answer.status_code for answer in answers} == {503}
            assert {answer.json()["code"] for answer in answers} == {"document_busy"}
            assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
            assert (await service.add("novo.txt", b"O motor foi limpo."))["status"] == "ready"
        assert (await service.settled(book["id"]))["status"] == "ready"
        assert (await service.upload("livro.txt", b"Outra antena.")).status_code == 202


async def test_a_document_that_is_deleted_while_it_is_published_is_found_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    slow = Slow()
    async with running(tmp_path, workers=2) as service:
        with slow.publishing(monkeypatch):
            book = (await service.upload("livro.txt", b"A antena foi trocada.")).json()["documents"][0]
            assert await asyncio.to_thread(slow.begun.wait, PATIENCE_S)
            deletion = asyncio.create_task(service.http.delete(f"/documents/{book['id']}"))
            await asyncio.wait([deletion], timeout=0.5)
            assert not deletion.done()
        assert (await deletion).is_success
        assert await service.found("antena trocada") == []
