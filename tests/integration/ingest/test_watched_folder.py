"""The watched folder: copying, removing, replacing, renaming, and accidents."""

import errno
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from ingest_service.documents.arrivals import Admission, Arrival
from ingest_service.documents.intake import Intake
from tests.integration.ingest.documents import pdf, protected_pdf
from tests.integration.ingest.service import Service, running, until
from tests.integration.ingest.watched import watching


async def test_a_copied_pdf_of_ten_pages_is_ready_within_ten_seconds_and_gone_soon_after_rm(service: Service):
    data = pdf([f"Página {n}: a válvula {n} é verde." for n in range(1, 11)])
    (service.watched / "fica.txt").write_text("Este fica.")
    await service.named("fica.txt")
    started = time.monotonic()
    (service.watched / "ensaio.pdf").write_bytes(data)
    document = await service.named("ensaio.pdf", seconds=10)
    assert time.monotonic() - started < 10
    assert document["pages"] == 10
    assert await service.found("válvula verde") != []
    (service.watched / "ensaio.pdf").unlink()
    await service.gone("ensaio.pdf", seconds=8)
    assert await service.found("válvula verde") == []


async def test_files_in_nested_folders_made_quickly_are_all_found(service: Service):
    for number in range(12):
        folder = service.watched / f"a{number}" / "b" / "c"
        folder.mkdir(parents=True)
        (folder / f"{number}.txt").write_text(f"Texto aninhado de número {number}.")

    async def all_ready() -> bool:
        return len(await service.documents(status="ready")) == 12

    await until(all_ready, "twelve documents", 20)


async def test_what_the_settings_ignore_or_nobody_can_read_makes_no_document(service: Service):
    for name in (".oculto.txt", "~$aula.txt", "aula.txt~", "baixando.pdf.part", "SOURCES.md"):
        (service.watched / name).write_text("Não deve entrar.")
    (service.watched / "programa.exe").write_bytes(b"MZ\x90\x00\x03\x00\x00\x00")
    (service.watched / "vazio.txt").write_bytes(b"")
    (service.watched / "bom.txt").write_text("Este entra.")
    await service.named("bom.txt")
    assert set(await service.documents()) == {"bom.txt"}


async def test_a_protected_pdf_in_the_folder_is_set_aside_with_the_reason(service: Service):
    (service.watched / "senha.pdf").write_bytes(protected_pdf())
    document = await service.named("senha.pdf", status="quarantined")
    assert "protected by a password" in document["error"]
    jobs = (await service.http.get("/jobs", params={"document_id": document["id"]})).json()["items"]
    assert [(job["state"], job["attempts"]) for job in jobs] == [("failed", 1)]


async def test_a_document_deleted_by_request_stays_away_until_its_file_changes(service: Service):
    file = service.watched / "teimoso.txt"
    file.write_text("O documento teimoso.")
    document = await service.named("teimoso.txt")
    deletion = (await service.http.delete(f"/documents/{document['id']}")).json()
    assert "teimoso.txt" in deletion["note"]
    report = (await service.http.post("/sources/watch/scan")).json()
    assert report["new_or_changed"] == 0
    (service.watched / "outro.txt").write_text("Outro documento.")
    await service.named("outro.txt")
    assert "teimoso.txt" not in await service.documents()
    file.write_text("O documento teimoso, agora corrigido.")
    await service.named("teimoso.txt")


async def test_an_upload_outlives_the_file_with_the_same_bytes(service: Service):
    data = b"O mesmo texto dos dois lados."
    (service.watched / "fica.txt").write_text("Este fica.")
    (service.watched / "pasta.txt").write_bytes(data)
    first = await service.named("pasta.txt")
    assert (await service.upload("envio.txt", data)).json()["documents"][0]["duplicate"] is True
    (service.watched / "pasta.txt").unlink()
    document = await service.settled((await service.named("envio.txt"))["id"])
    assert document["id"] == first["id"]
    assert document["sources"] == [{"kind": "upload", "key": "envio.txt"}]
    assert await service.found("mesmo texto dos dois lados") == ["envio.txt"]


async def test_one_of_two_equal_files_changing_leaves_the_other_its_document(service: Service):
    for name in ("a.txt", "b.txt"):
        (service.watched / name).write_text("Texto igual nos dois.")

    async def both() -> bool:
        return any(len(document["sources"]) == 2 for document in (await service.documents()).values())

    await until(both, "one document with two sources")
    (service.watched / "b.txt").write_text("Agora diferente, com uma girafa.")
    await service.named("b.txt")
    await service.named("a.txt")
    assert await service.found("texto igual nos dois") == ["a.txt"]
    assert await service.found("girafa") == ["b.txt"]


async def test_what_happened_while_the_service_was_down_is_caught_up_with(tmp_path: Path):
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "fica.txt").write_text("Este fica.")
    (watched / "sai.txt").write_text("Este sai.")
    async with running(tmp_path, watch="inotify") as service:
        await service.named("fica.txt")
        await service.named("sai.txt")
    (watched / "sai.txt").unlink()
    (watched / "chega.txt").write_text("Este chega.")
    async with running(tmp_path, watch="inotify") as service:
        await service.named("chega.txt")
        await service.gone("sai.txt")
        assert set(await service.documents()) == {"fica.txt", "chega.txt"}


async def test_a_file_that_cannot_be_taken_keeps_no_other_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    admit = Intake.admit

    def failing(intake: Intake, arrival: Arrival, stream: BinaryIO) -> Admission:
        if arrival.name == "a.txt":
            raise PermissionError(errno.EACCES, "Permission denied")
        if arrival.name == "b.txt":
            raise RuntimeError("unforeseen")
        return admit(intake, arrival, stream)

    monkeypatch.setattr(Intake, "admit", failing)
    (tmp_path / "watched").mkdir()
    for name in ("a.txt", "b.txt", "z.txt"):
        (tmp_path / "watched" / name).write_text(f"Texto de {name}.")
    async with watching(tmp_path, "polling") as service:
        await service.named("z.txt")
        assert set(await service.documents()) == {"z.txt"}


async def test_a_version_sent_by_somebody_outlives_the_file_that_it_replaced(service: Service):
    (service.watched / "a.txt").write_text("O texto do arquivo.")
    (service.watched / "b.txt").write_text("Um outro arquivo que fica.")
    document = await service.named("a.txt")
    await service.named("b.txt")
    await service.http.put(f"/documents/{document['id']}", files={"files": ("a.txt", b"O texto enviado depois.")})
    await service.settled(document["id"])
    (service.watched / "a.txt").unlink()

    async def forgotten() -> bool:
        return all(source["kind"] == "upload" for source in (await service.document(document["id"]))["sources"])

    await until(forgotten, "the file to be forgotten", 20)
    assert await service.found("texto enviado depois") == ["a.txt"]
