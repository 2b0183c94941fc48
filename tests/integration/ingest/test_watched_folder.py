"""The watched folder: copying, removing, replacing, renaming, and accidents."""

import asyncio
import errno
import os
import time
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import pytest

from ingest_service.arrivals import Admission, Arrival
from ingest_service.intake import Intake
from tests.integration.ingest.documents import pdf, protected_pdf
from tests.integration.ingest.service import Service, running, until


@pytest.fixture(params=["inotify", "polling"])
async def service(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    # With events, no rescan may come to help; without them, nothing else can.
    rescan_s = 600 if request.param == "inotify" else 0.5
    async with running(tmp_path, watch=request.param, rescan_s=rescan_s) as service:
        await first_scan(service)
        yield service


async def first_scan(service: Service) -> None:
    async def scanned() -> bool:
        return bool((await service.facts())["scanned"])

    await until(scanned, "the first scan")


async def test_a_copied_pdf_of_ten_pages_is_ready_within_ten_seconds_and_gone_soon_after_rm(service: Service):
    data = pdf([f"Página {n}: a válvula {n} é verde." for n in range(1, 11)])
    started = time.monotonic()
    (service.watched / "ensaio.pdf").write_bytes(data)
    document = await service.named("ensaio.pdf", seconds=10)
    assert time.monotonic() - started < 10
    assert document["pages"] == 10
    assert await service.found("válvula verde") != []
    (service.watched / "ensaio.pdf").unlink()
    await service.gone("ensaio.pdf", seconds=8)
    assert await service.found("válvula verde") == []


async def test_replacing_a_file_is_a_new_version_of_its_document(service: Service):
    file = service.watched / "norma.txt"
    file.write_text("A sirene toca ao meio-dia.")
    first = await service.named("norma.txt")
    replacement = service.watched / ".norma.txt.swp"
    replacement.write_text("Um apito soa cedinho.")
    replacement.rename(file)

    async def second() -> bool:
        return bool((await service.document(first["id"]))["published_version"] == 2)

    await until(second, "the second version")
    assert await service.found("apito cedinho") == ["norma.txt"]
    assert await service.found("sirene meio-dia") == []


async def test_renaming_a_file_keeps_its_document_and_renames_it(service: Service):
    (service.watched / "velho.txt").write_text("O elevador panorâmico parou.")
    first = await service.named("velho.txt")
    (service.watched / "velho.txt").rename(service.watched / "novo.txt")
    second = await service.settled((await service.named("novo.txt"))["id"])
    assert second["id"] == first["id"]
    assert await service.found("elevador panorâmico") == ["novo.txt"]


async def test_moving_into_a_subfolder_does_nothing_to_the_document(service: Service):
    (service.watched / "ata.txt").write_text("A ata da reunião de maio.")
    first = await service.named("ata.txt")
    (service.watched / "2026").mkdir()
    (service.watched / "ata.txt").rename(service.watched / "2026" / "ata.txt")

    async def moved() -> bool:
        sources = (await service.document(first["id"]))["sources"]
        return [source["key"] for source in sources] == ["2026/ata.txt"]

    await until(moved, "the new source")
    after = await service.document(first["id"])
    assert (after["version"], after["status"]) == (1, "ready")


async def test_files_in_nested_folders_made_quickly_are_all_found(service: Service):
    for number in range(12):
        folder = service.watched / f"a{number}" / "b" / "c"
        folder.mkdir(parents=True)
        (folder / f"{number}.txt").write_text(f"Texto aninhado de número {number}.")

    async def all_ready() -> bool:
        return len(await service.documents(status="ready")) == 12

    await until(all_ready, "twelve documents", 20)


async def test_a_half_written_file_is_read_when_it_is_complete(service: Service):
    data = pdf([f"Folha {n} do relatório lento." for n in range(1, 6)])
    target = service.watched / "lento.pdf"
    third = len(data) // 3
    with target.open("wb") as stream:
        for start in (0, third, 2 * third):
            stream.write(data[start : start + third] if start < 2 * third else data[start:])
            stream.flush()
            await asyncio.sleep(1.0)  # the slow writer itself, pausing for less than the quiet time
    document = await service.named("lento.pdf")
    assert (document["version"], document["pages"]) == (1, 5)


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


async def test_a_link_out_of_the_folder_is_not_followed(service: Service, tmp_path: Path):
    outside = tmp_path / "fora"
    outside.mkdir()
    (outside / "segredo.txt").write_text("Isto fica fora.")
    (service.watched / "atalho.txt").symlink_to(outside / "segredo.txt")
    (service.watched / "pasta").symlink_to(outside, target_is_directory=True)
    (service.watched / "dentro.txt").write_text("Isto fica dentro.")
    await service.named("dentro.txt")
    assert set(await service.documents()) == {"dentro.txt"}


async def test_an_emptied_folder_deletes_nothing_until_it_is_confirmed(service: Service):
    for number in range(6):
        (service.watched / f"{number}.txt").write_text(f"Documento de número {number}.")

    async def all_ready() -> bool:
        return len(await service.documents(status="ready")) == 6

    await until(all_ready, "six documents")
    for file in service.watched.iterdir():
        file.unlink()

    async def held() -> bool:
        return bool((await service.facts())["held_back"] == 6)

    await until(held, "the deletions to be held back")
    assert "confirm=true" in (await service.facts())["held_back_note"]
    assert len(await service.documents(status="ready")) == 6
    report = (await service.http.post("/sources/watch/scan", params={"confirm": True})).json()
    assert report["deleted"] == 6
    assert await service.documents() == {}
    assert (await service.facts())["held_back"] == 0


async def test_a_missing_folder_deletes_nothing(service: Service):
    (service.watched / "unico.txt").write_text("Um documento sozinho.")
    await service.named("unico.txt")
    service.watched.rename(service.watched.with_name("away"))
    report = (await service.http.post("/sources/watch/scan")).json()
    assert (report["deleted"], report["held_back"]) == (0, 1)
    assert set(await service.documents()) == {"unico.txt"}
    service.watched.with_name("away").rename(service.watched)


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


async def test_accents_in_names_are_one_name_however_they_are_written(service: Service):
    decomposed = unicodedata.normalize("NFD", "relatório.txt")
    (service.watched / decomposed).write_text("Um relatório com acento.")
    document = await service.named("relatório.txt")
    assert document["sources"][0]["key"] == unicodedata.normalize("NFC", "relatório.txt")


async def test_unchanged_files_are_not_even_read_at_a_restart(tmp_path: Path):
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "fixo.txt").write_text("Um texto que não muda.")
    async with running(tmp_path, watch="inotify") as service:
        document = await service.named("fixo.txt")
    # Other bytes behind the same size and time: whoever read the file would notice.
    stat = (watched / "fixo.txt").stat()
    (watched / "fixo.txt").write_bytes(b"x" * stat.st_size)
    os.utime(watched / "fixo.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    async with running(tmp_path, watch="inotify") as service:
        await first_scan(service)
        assert (await service.documents())["fixo.txt"]["updated_at"] == document["updated_at"]


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


async def test_a_name_in_an_old_code_page_is_taken_like_any_other(service: Service):
    (service.watched / os.fsdecode(b"relat\xf3rio.txt")).write_text("O farol fica no morro.")
    (service.watched / "z.txt").write_text("Este vem depois.")
    document = await service.named("relatório.txt")
    assert [source["key"] for source in document["sources"]] == ["relatório.txt"]
    await service.named("z.txt")


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
    async with running(tmp_path, watch="polling", rescan_s=600) as service:
        await first_scan(service)
        await service.named("z.txt")
        assert set(await service.documents()) == {"z.txt"}
