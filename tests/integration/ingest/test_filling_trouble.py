"""What may go wrong while vectors are made anew: the filling goes on, nothing is lost, the deleted stays deleted."""

import asyncio
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from ingest_service.filling import copying
from ingest_service.filling.copying import Copier
from ingest_service.passages import chunking
from shared.embeddings.protocol import Vector
from shared.errors import Unavailable
from shared.vector_store.edge import EdgeVectorStore
from tests.integration.ingest.service import running, until
from tests.integration.ingest.test_filling import Coming, Letters, add_notes, by_meaning, swapped


async def test_a_model_that_arrives_while_words_are_made_anew_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    copy, copied = Copier.copy, []

    def slow(self: Copier, *arguments: object) -> int | None:
        time.sleep(0.2)
        copied.append(arguments)
        return copy(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Copier, "copy", slow)
    model = Coming(Letters())
    async with running(tmp_path, model=model) as service:
        await add_notes(service)
        await service.http.post("/generations")

        async def begun() -> bool:
            return bool(copied)

        await until(begun, "the first document")
        model.arrived = True
        await swapped(service, "letters", 15)
        assert len(await by_meaning(service, Letters(), "farol")) == 5


async def test_a_deletion_that_the_next_generation_missed_is_not_undone_by_the_swap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with running(tmp_path) as service:
        await add_notes(service)
        ids = {name: each["id"] for name, each in (await service.documents()).items()}
    copy, delete, copied, held = Copier.copy, EdgeVectorStore.delete, [], threading.Event()

    def slow(self: Copier, *arguments: object) -> int | None:
        copied.append(copy(self, *arguments))  # type: ignore[arg-type]
        if len(copied) == 3:
            held.wait(20)
        return copied[-1]

    monkeypatch.setattr(Copier, "copy", slow)
    async with running(tmp_path, embedder=Letters()) as service:

        async def three() -> bool:
            return len(copied) == 3

        await until(three, "three documents")
        following = service.store.next
        assert following is not None

        def hiccup(self: EdgeVectorStore, organization_id: UUID, document_id: UUID) -> None:
            if self is following.store and not held.is_set():
                raise Unavailable("The store does not answer just now.")
            delete(self, organization_id, document_id)

        monkeypatch.setattr(EdgeVectorStore, "delete", hiccup)
        assert (await service.http.delete(f"/documents/{ids['nota0.txt']}")).is_success

        async def purged() -> bool:
            return (await service.http.get(f"/documents/{ids['nota0.txt']}")).status_code == 404

        await until(purged, "the deletion")
        held.set()
        await swapped(service, "letters")
        assert sorted(await service.found("farol")) == [f"nota{n}.txt" for n in range(1, 5)]
        assert await service.chunks_of(ids["nota0.txt"]) == 0


async def test_a_document_in_which_no_text_is_found_any_more_keeps_its_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as before:
        before.setattr(chunking, "FINGERPRINT", "blocks-0/older")
        async with running(tmp_path) as service:
            await add_notes(service)

    def nothing(*_: object, **__: object) -> Sequence[object]:
        return []

    monkeypatch.setattr(copying, "passages", nothing)
    async with running(tmp_path) as service:

        async def anew() -> bool:
            return bool((await service.http.get("/generations")).json()["current"] == 2)

        await until(anew, "the swap")
        assert len(await service.found("farol")) == 5
        assert all(each["chunks"] == 1 for each in (await service.documents()).values())


async def test_one_text_that_the_embedder_refuses_costs_no_other_its_vector(tmp_path: Path):
    class Picky(Letters):
        def embed_passages(self, texts: Sequence[str]) -> Iterator[Vector]:
            if any("nota 2" in text for text in texts):
                raise Unavailable("The embedding server does not take the request.")
            return super().embed_passages(texts)

    async with running(tmp_path) as service:
        await add_notes(service)
    async with running(tmp_path, embedder=Picky()) as service:
        await swapped(service, "letters")
        assert len(await by_meaning(service, Letters(), "farol")) == 4
        assert "nota2.txt" in await service.found("farol")


async def test_without_room_on_the_disk_the_filling_waits_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(tmp_path) as service:
        await add_notes(service)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=150 << 20))
        async with running(tmp_path, embedder=Letters()) as service:

            async def waiting() -> bool:
                filling = (await service.facts())["index"]["filling"]
                return bool(filling and filling["stage"] == "waiting: no room on the disk")

            await until(waiting, "the filling to wait")
            assert len(await service.found("farol")) == 5
            assert [path.name for path in (service.data / "vectors" / "xgtwin").iterdir() if path.is_dir()] == ["1"]
    async with running(tmp_path, embedder=Letters()) as service:
        await swapped(service, "letters")
        assert await asyncio.to_thread(service.store.unembedded, 1) == []


async def test_a_reindex_that_waits_for_the_model_says_so(tmp_path: Path):
    async with running(tmp_path, embedder=Letters()) as service:
        await add_notes(service)
    async with running(tmp_path, model=Coming(Letters())) as service:
        asked = (await service.http.post("/generations")).json()
        assert (asked["requested"], asked["waits_for"]) == (True, "on its way")
