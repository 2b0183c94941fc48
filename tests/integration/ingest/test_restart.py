"""Killed in the middle, started again: as if nothing had happened."""

import asyncio
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session, select, update

from ingest_service.documents.versions import Versions
from ingest_service.jobs.outcomes import MAX_INTERRUPTIONS
from ingest_service.tables import DocumentRow, JobRow
from shared.db.rows import utc_now
from shared.embeddings.protocol import Vector
from shared.models import DocumentStatus
from shared.observability.metrics import CHUNKS_STORED, EMBEDDINGS_MADE
from shared.vector_store.edge import EdgeVectorStore
from shared.vector_store.protocol import EmbeddedChunk
from tests.integration.ingest.documents import long_text, pdf
from tests.integration.ingest.service import Service, running, until

ROOT = Path(__file__).parents[3]


@contextmanager
def child_process(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`python -m ingest_service` over the same folders as `running`, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "XGTWIN_DATA_DIR": str(folder / "data"),
        "INGEST__WATCH": "off",
        "INGEST__PORT": str(port),
        "EMBEDDER__FETCH": "false",
    }
    with (folder / "child.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "ingest_service"], cwd=folder, env=environment, stderr=log)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/livez")).is_success
    except httpx.TransportError:
        return False


async def contents(service: Service, document_id: str) -> list[dict[str, object]]:
    """The chunks, without what differs between two documents of the same bytes."""
    chunks = (await service.http.get(f"/documents/{document_id}/chunks")).json()["items"]
    return [{key: chunk[key] for key in chunk if key not in {"id", "document_id"}} for chunk in chunks]


async def test_a_killed_ingestion_ends_ready_with_exactly_the_chunks_of_an_undisturbed_run(tmp_path: Path):
    text = long_text(3000).encode()
    disturbed, undisturbed = tmp_path / "disturbed", tmp_path / "undisturbed"
    disturbed.mkdir()
    undisturbed.mkdir()
    with child_process(disturbed) as (process, url):
        async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
            await until(lambda: answers(http), "the child to listen", 30)
            item = (await http.post("/documents", files={"files": ("longo.txt", text)})).json()["documents"][0]

            async def in_the_middle() -> bool:
                progress = (await http.get(f"/jobs/{item['job_id']}")).json()["progress"]
                return bool(progress["stage"] == "embedding" and 0 < progress["done"] < progress["total"])

            await until(in_the_middle, "the middle of the embedding")
            process.send_signal(signal.SIGKILL)
            process.wait()

    async with running(disturbed) as service:
        document = await service.settled(item["id"])
        assert document["status"] == "ready"
        job = (await service.http.get(f"/jobs/{item['job_id']}")).json()
        assert (job["state"], job["attempts"]) == ("done", 1), "a kill is not the document's fault"
        after_the_kill = await contents(service, item["id"])
        assert await service.chunks_of(item["id"]) == len(after_the_kill) == document["chunks"] > 500

    async with running(undisturbed) as service:
        reference = await service.add("longo.txt", text)
        assert await contents(service, reference["id"]) == after_the_kill


class LetterCounts:
    """An embedder that needs no model: how often each letter stands in a text, as a unit vector."""

    name = "letter-counts"
    dimension = 26
    window = 512

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def embed_passages(self, texts: Sequence[str]) -> Iterator[Vector]:
        yield from map(self.embed_question, texts)

    def embed_question(self, text: str) -> Vector:
        counts = [1.0 + text.lower().count(chr(ord("a") + letter)) for letter in range(26)]
        length = math.hypot(*counts)
        return tuple(count / length for count in counts)

    def ping(self) -> None:
        pass


async def test_a_restart_makes_no_vector_again(tmp_path: Path):
    files = {f"{n}.pdf": pdf([f"O sensor {n} está calibrado."]) for n in range(3)}
    stored, embedded = CHUNKS_STORED._value.get(), EMBEDDINGS_MADE._value.get()
    async with running(tmp_path, embedder=LetterCounts()) as service:
        chunks = sum([(await service.add(name, data))["chunks"] for name, data in files.items()])
    assert CHUNKS_STORED._value.get() - stored == EMBEDDINGS_MADE._value.get() - embedded == chunks > 0
    async with running(tmp_path, embedder=LetterCounts()) as service:
        assert set(await service.documents(status="ready")) == set(files)
        for name, data in files.items():
            assert (await service.upload(name, data)).json()["documents"][0]["duplicate"] is True
        # One more document, so that the workers are known to have looked through the whole queue.
        last = await service.add("fim.txt", b"O ultimo da fila.")
    assert CHUNKS_STORED._value.get() - stored == chunks + last["chunks"]
    assert EMBEDDINGS_MADE._value.get() - embedded == chunks + last["chunks"]


async def test_a_stopped_service_gives_its_job_back_and_goes_on_after_the_restart(tmp_path: Path):
    async with running(tmp_path) as service:
        item = (await service.upload("longo.txt", long_text(3000).encode())).json()["documents"][0]

        async def started() -> bool:
            return bool((await service.http.get(f"/jobs/{item['job_id']}")).json()["progress"]["done"])

        await until(started, "the job to be in the middle")
    with Session(service.engine) as session:
        assert session.exec(select(DocumentRow.status)).one() == DocumentStatus.QUEUED
    async with running(tmp_path) as service:
        assert (await service.settled(item["id"]))["status"] == "ready"
        job = (await service.http.get(f"/jobs/{item['job_id']}")).json()
        assert (job["state"], job["attempts"]) == ("done", 1)


async def test_a_deletion_that_a_crash_interrupted_is_finished_at_the_start(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("vai.txt", b"Este documento vai embora.")
        kept = await service.add("fica.txt", b"Este aqui permanece.")
    # As after a kill between the tombstone and everything that follows it.
    with Session(service.engine) as session:
        row = session.exec(select(DocumentRow).where(DocumentRow.name == "vai.txt")).one()
        row.status = DocumentStatus.DELETING
        session.add(row)
        session.commit()
    async with running(tmp_path) as service:

        async def purged() -> bool:
            return (await service.http.get(f"/documents/{document['id']}")).status_code == 404

        await until(purged, "the purge")
        assert await service.chunks_of(document["id"]) == 0
        assert await service.chunks_of(kept["id"]) == kept["chunks"]


async def test_a_store_that_lost_its_chunks_is_filled_again_at_the_start(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("nota.txt", b"A nota sobre o farol antigo.")
        await asyncio.to_thread(service.store.delete, *(_ids(service, document["id"])))
        assert await service.found("farol antigo") == []
    async with running(tmp_path) as service:
        await service.named("nota.txt")
        assert await service.found("farol antigo") == ["nota.txt"]


async def test_bytes_of_a_document_that_was_never_committed_are_dropped_at_the_start(tmp_path: Path):
    async with running(tmp_path) as service:
        await service.add("fica.txt", b"Este aqui permanece.")
        (kept,) = [path for path in (service.data / "originals").rglob("*") if path.is_file()]
    # As after a kill between keeping the bytes and committing their document, and in the middle of an upload.
    orphan = service.data / "originals" / "ab" / ("ab" * 32)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"de ninguem")
    (service.data / "originals" / "incoming" / "metade").write_bytes(b"metade")
    async with running(tmp_path) as service:
        assert [path for path in (service.data / "originals").rglob("*") if path.is_file()] == [kept]


async def test_a_document_that_always_ends_the_service_is_set_aside_at_last_and_can_be_retried(tmp_path: Path):
    async with running(tmp_path, workers=0) as service:
        item = (await service.upload("fatal.txt", b"O texto fatal.")).json()["documents"][0]
    with Session(service.engine) as session:
        session.exec(update(JobRow).values(interruptions=MAX_INTERRUPTIONS))
        session.commit()
    async with running(tmp_path) as service:
        document = await service.settled(item["id"])
        assert document["status"] == "quarantined"
        assert f"ended {MAX_INTERRUPTIONS} times" in document["error"]
        await service.http.post(f"/jobs/{item['job_id']}/retry")
        assert (await service.settled(item["id"]))["status"] == "ready"


async def test_old_jobs_are_cleared_away_while_the_service_runs(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("nota.txt", b"A primeira nota.")
        files = {"files": ("nota.txt", b"A segunda nota.")}
        await service.http.put(f"/documents/{document['id']}", files=files)
        assert (await service.settled(document["id"]))["version"] == 2
    with Session(service.engine) as session:
        session.exec(update(JobRow).values(updated_at=utc_now() - timedelta(days=3)))
        session.commit()
    async with running(tmp_path, lease_s=1.5, keep_jobs_days=2) as service:

        async def cleared() -> bool:
            jobs = (await service.http.get("/jobs", params={"document_id": document["id"]})).json()["items"]
            return [job["version"] for job in jobs] == [2]

        await until(cleared, "the older job to be cleared away")


def _ids(service: Service, document_id: str):
    with Session(service.engine) as session:
        row = session.exec(select(DocumentRow)).one()
        assert str(row.id) == document_id
        return row.organization_id, row.id


async def test_a_run_that_died_after_publishing_does_not_hide_the_passages_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ready, upsert, stored = Versions.ready, EdgeVectorStore.upsert, []

    def dying_once(versions: Versions, *arguments: Any, **values: Any) -> str | None:
        monkeypatch.setattr(Versions, "ready", ready)
        raise RuntimeError("killed here")

    def counted(store: EdgeVectorStore, chunks: Sequence[EmbeddedChunk]) -> None:
        stored.append(len(chunks))
        upsert(store, chunks)

    monkeypatch.setattr(Versions, "ready", dying_once)
    monkeypatch.setattr(EdgeVectorStore, "upsert", counted)
    async with running(tmp_path) as service:
        document = await service.add("nota.txt", b"Uma nota curta.")
        assert (document["status"], stored) == ("ready", [1])


async def test_a_lost_store_brings_back_the_version_that_questions_saw(tmp_path: Path):
    async with running(tmp_path) as service:
        document = await service.add("guia.txt", "A antena parabólica fica no telhado.".encode())
        await service.http.put(f"/documents/{document['id']}", files={"files": ("guia.txt", b" \n ")})
        assert (await service.settled(document["id"]))["status"] == "no_text"
    shutil.rmtree(tmp_path / "data" / "vectors")
    async with running(tmp_path) as service:
        after = await service.settled(document["id"])
        assert (after["status"], after["chunks"]) == ("ready", 1)
        assert await service.found("antena parabólica") == ["guia.txt"]


async def test_a_job_cancelled_just_before_the_end_of_its_process_is_settled_at_the_next_start(tmp_path: Path):
    async with running(tmp_path, workers=0) as service:
        item = (await service.upload("a.txt", b"Um texto.")).json()["documents"][0]
        with Session(service.engine) as session:
            dead = {"state": "running", "lease_owner": f"{socket.gethostname()}:999999:x", "lease_until": utc_now()}
            session.exec(update(JobRow).values(**dead, attempts=1, cancel_reason="Cancelled by request."))
            session.exec(update(DocumentRow).values(status="parsing"))
            session.commit()
    async with running(tmp_path) as service:
        document = await service.settled(item["id"])
        assert (document["status"], document["error"]) == ("failed", "Cancelled by request.")
