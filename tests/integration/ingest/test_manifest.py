"""Sync clients: what to send, what to remove, and what not to send again and again."""

import asyncio
import hashlib
import json
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from sqlmodel import Session, select

from ingest_service.documents.refusals import REMEMBERED, RefusalRow, Refusals
from ingest_service.tables import DocumentRow, SourceKind, SourceRow
from shared.db.rows import utc_now
from shared.models import DEFAULT_ORGANIZATION_ID as ORG
from tests.integration.ingest.documents import protected_pdf, scanned_pdf
from tests.integration.ingest.service import Service, running

JSON = {"content-type": "application/json"}
Form = Literal["NFC", "NFD"]
EXE = b"MZ\x90\x00\x03\x00\x00\x00"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path) as service:
        yield service


def item(path: str, data: bytes) -> dict[str, Any]:
    return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


async def asked(service: Service, *items: dict[str, Any], prefix: str = "") -> httpx.Response:
    return await service.http.post("/documents/diff", json={"prefix": prefix, "items": list(items)})


async def difference(service: Service, *items: dict[str, Any], prefix: str = "") -> dict[str, list[str]]:
    """The paths of each list of the answer."""
    response = await asked(service, *items, prefix=prefix)
    assert response.status_code == 200, response.text
    return {name: [entry["path"] for entry in entries] for name, entries in response.json().items() if entries}


async def test_each_file_is_told_apart(service: Service):
    kept = await service.add("aulas/a.txt", b"A antena fica no telhado.")
    changed = await service.add("aulas/b.txt", b"O cabo mede dois metros.")
    gone = await service.add("aulas/c.txt", b"A fonte aquece depois de uma hora.")
    response = await asked(
        service,
        item("aulas/a.txt", b"A antena fica no telhado."),
        item("aulas/b.txt", "O cabo mede três metros.".encode()),
        item("aulas/d.txt", b"Um arquivo novo."),
    )
    assert response.json() == {
        "added": [{"path": "aulas/d.txt", "document_id": None}],
        "modified": [{"path": "aulas/b.txt", "document_id": changed["id"]}],
        "deleted": [{"path": "aulas/c.txt", "document_id": gone["id"]}],
        "unchanged": [{"path": "aulas/a.txt", "document_id": kept["id"]}],
        "failed": [],
    }
    assert len(await service.documents()) == 3


async def test_files_in_flight_count_as_present(tmp_path: Path):
    async with running(tmp_path, workers=0) as service:
        await service.upload("fila.txt", b"Ainda na fila.")
        assert await difference(service, item("fila.txt", b"Ainda na fila.")) == {"unchanged": ["fila.txt"]}


async def test_an_unreadable_file_is_not_asked_for_in_every_round(service: Service):
    """oikb#106: one unreadable PDF was uploaded 1,300 times."""
    scan, program, locked = scanned_pdf(), EXE, protected_pdf()
    await service.add("ata.pdf", scan)
    assert (await service.upload("programa.pdf", program)).status_code == 415
    assert (await service.upload("senha.pdf", locked)).status_code == 422
    for prefix_of_round in ("", "copia de "):
        names = [f"{prefix_of_round}{name}" for name in ("ata.pdf", "programa.pdf", "senha.pdf")]
        response = await asked(service, *map(item, names, (scan, program, locked)))
        found = response.json()
        assert found["added"] == found["modified"] == []
        assert [entry["path"] for entry in found["unchanged"]] == names
        reasons = {entry["path"]: entry["reason"] for entry in found["failed"]}
        assert list(reasons) == names
        assert "no text" in reasons[names[0]]
        assert "is a program" in reasons[names[1]]
        assert "password" in reasons[names[2]]


async def test_what_the_door_would_refuse_for_its_size_is_said_before_it_is_sent(tmp_path: Path):
    async with running(tmp_path, max_file_mb=1) as service:
        vast = {"path": "vasto.pdf", "sha256": "0" * 64, "size": 2 << 20}
        found = (await asked(service, vast, item("vazio.txt", b""))).json()
        assert found["added"] == []
        assert "INGEST__MAX_FILE_MB" in found["failed"][0]["reason"]
        assert "0 bytes" in found["failed"][1]["reason"]


async def test_a_refusal_is_forgotten_after_a_while(service: Service):
    await service.upload("programa.pdf", EXE)
    with Session(service.engine) as session:
        stored = session.exec(select(RefusalRow)).one()
        stored.created_at = utc_now() - REMEMBERED
        session.add(stored)
        session.commit()
    assert Refusals(service.engine).reasons(ORG) == {}
    assert await difference(service, item("programa.pdf", EXE)) == {"added": ["programa.pdf"]}


async def test_a_client_is_not_told_to_delete_what_others_sent(service: Service):
    """oikb#41: the sync deleted what people had uploaded."""
    await service.add("sala-a/nota.txt", b"A nota da sala A.")
    await service.add("sala-b/nota.txt", b"A nota da sala B.")
    await service.add("sala-a2/nota.txt", b"A nota da sala vizinha.")
    await service.add("enviado por alguem.txt", b"Enviado pela pagina.")
    await service.http.post("/documents", json={"title": "Aviso", "text": "Um aviso em texto."})
    assert await difference(service, prefix="sala-a") == {"deleted": ["sala-a/nota.txt"]}
    everything = await difference(service)
    assert "Aviso" not in everything["deleted"]
    assert len(everything["deleted"]) == 4
    assert len((await service.http.get("/documents")).json()["items"]) == 5


async def test_removing_one_source_leaves_what_another_vouches_for(service: Service):
    """oikb#41: each source removes only itself."""
    first = await service.add("sync/guia.txt", b"O guia do laboratorio.")
    await service.upload("guia de alguem.txt", b"O guia do laboratorio.")
    kept = await service.http.delete(f"/documents/{first['id']}", params={"source": "sync/guia.txt"})
    assert (kept.status_code, kept.json()["job_id"]) == (200, None)
    document = await service.settled(first["id"])
    assert [source["key"] for source in document["sources"]] == ["guia de alguem.txt"]
    assert await service.found("guia do laboratorio") == ["guia de alguem.txt"]
    last = await service.http.delete(f"/documents/{first['id']}", params={"source": "guia de alguem.txt"})
    assert last.status_code == 202
    assert last.headers["location"] == f"/jobs/{last.json()['job_id']}"
    assert await service.found("guia do laboratorio") == []


async def test_a_source_that_the_document_does_not_have_is_not_found(service: Service):
    first = await service.add("a.txt", b"O primeiro.")
    second = await service.add("b.txt", b"O segundo.")
    response = await service.http.delete(f"/documents/{first['id']}", params={"source": "b.txt"})
    assert response.status_code == 404
    assert "b.txt" in response.json()["detail"]
    assert set(await service.documents()) == {"a.txt", "b.txt"}
    assert (await service.document(second["id"]))["status"] == "ready"


async def test_a_file_that_still_lies_in_the_folder_is_not_forgotten_by_its_path(tmp_path: Path):
    async with running(tmp_path, watch="polling") as service:
        (service.watched / "pasta.txt").write_bytes(b"Na pasta vigiada.")
        document = await service.named("pasta.txt")
        response = await service.http.delete(f"/documents/{document['id']}", params={"source": "pasta.txt"})
        assert response.status_code == 404
        assert await difference(service) == {}


@pytest.mark.parametrize(("sent", "listed"), [("NFC", "NFD"), ("NFD", "NFC")])
async def test_one_name_in_two_spellings_is_one_path(service: Service, sent: Form, listed: Form):
    name = "Apresentação/condição.txt"
    await service.add(unicodedata.normalize(sent, name), b"A condicao foi medida.")
    spelled = unicodedata.normalize(listed, name)
    assert await difference(service, item(spelled, b"A condicao foi medida.")) == {"unchanged": [spelled]}


async def test_a_path_in_other_capitals_is_the_same_path(service: Service):
    document = await service.add("Aulas/Redes.txt", b"A antena fica no telhado.")
    assert await difference(service, item("aulas/redes.TXT", b"A antena fica no telhado."), prefix="AULAS") == {
        "unchanged": ["aulas/redes.TXT"]
    }
    assert await difference(service, prefix="aulas") == {"deleted": ["Aulas/Redes.txt"]}
    removed = await service.http.delete(f"/documents/{document['id']}", params={"source": "aulas/redes.txt"})
    assert removed.status_code == 202


async def test_of_two_files_that_are_one_name_in_a_request_the_second_is_refused(service: Service):
    files = [("files", ("Aula.txt", b"A primeira aula.")), ("files", ("aula.TXT", b"A segunda aula."))]
    first, second = (await service.http.post("/documents", files=files)).json()["documents"]
    assert (second["status"], "rename" in second["error"]) == ("refused", True)
    assert (await service.settled(first["id"]))["version"] == 1


@pytest.mark.parametrize(
    "twin", ["a/ação.txt", unicodedata.normalize("NFD", "a/ação.txt"), "a\\ação.txt", "A/AÇÃO.txt"]
)
async def test_a_path_listed_twice_is_named(service: Service, twin: str):
    response = await asked(service, item("a/ação.txt", b"1"), item(twin, b"2"))
    assert response.status_code == 422
    assert response.json()["code"] == "duplicate_path"
    assert twin in response.json()["detail"]


async def test_a_path_outside_the_prefix_is_named(service: Service):
    response = await asked(service, item("outra/a.txt", b"1"), prefix="minha")
    assert response.status_code == 422
    assert "outra/a.txt" in response.json()["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "abc"},
        {"sha256": "g" * 64},
        {"sha256": "0" * 65},
        {"size": -1},
        {"size": "many"},
        {"path": ""},
        {"path": "a\ud800"},
        {"mtime": 5},
    ],
)
async def test_a_malformed_item_is_refused(service: Service, wrong: dict[str, Any]):
    response = await service.http.post(
        "/documents/diff", content=json.dumps({"items": [{**item("a.txt", b"1"), **wrong}]}), headers=JSON
    )
    assert response.status_code == 422
    assert "items" in response.json()["detail"]


async def test_hashes_may_be_written_in_capitals(service: Service):
    await service.add("a.txt", b"Um texto.")
    shouted = item("a.txt", b"Um texto.")
    shouted["sha256"] = shouted["sha256"].upper()
    assert await difference(service, shouted) == {"unchanged": ["a.txt"]}


async def test_more_items_than_are_compared_at_once_are_refused(service: Service):
    items = [{"path": f"{number}.txt", "sha256": "0" * 64, "size": 1} for number in range(50_001)]
    assert (await asked(service, *items)).status_code == 422


async def test_ten_thousand_files_are_compared_while_the_client_waits(tmp_path: Path):
    async with running(tmp_path, workers=0) as service:
        _remember(service, [f"Turma {number % 20}/relatório {number}.pdf" for number in range(10_000)])
        items = [item(f"Turma {number % 20}/relatório {number}.pdf", b"%d" % number) for number in range(10_000)]
        async with asyncio.timeout(20):
            response = await asked(service, *items[1:], item("nova.pdf", b"nova"))
        found = response.json()
        assert [len(found[name]) for name in ("added", "modified", "deleted", "unchanged")] == [1, 0, 1, 9_999]


def _remember(service: Service, paths: list[str]) -> None:
    """Documents and sources as uploads leave them, without the bytes."""
    with Session(service.engine) as session:
        documents = [
            DocumentRow(
                name=path,
                content_hash=hashlib.sha256(b"%d" % number).hexdigest(),
                size=1,
                media_type="application/pdf",
                status="ready",
            )
            for number, path in enumerate(paths)
        ]
        session.add_all(documents)
        session.flush()
        session.add_all(
            SourceRow(document_id=document.id, kind=SourceKind.UPLOAD, key=path, size=1)
            for document, path in zip(documents, paths, strict=True)
        )
        session.commit()
