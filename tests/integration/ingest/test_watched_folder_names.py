"""Names and kinds of files: one path however it is written, links and pipes refused, odd names taken."""

import os
import socket
import unicodedata
from pathlib import Path

import pytest

from tests.integration.ingest.service import Service, until
from tests.integration.ingest.watched import ready, released, scan, source, told, version, watching, without_root_rights

COMPOSED = unicodedata.normalize("NFC", "Relatório.txt")
DECOMPOSED = unicodedata.normalize("NFD", "Relatório.txt")


def write(file: Path, text: str, *, age_s: float) -> None:
    """A file that was last changed so long ago."""
    file.write_text(text)
    then = file.stat().st_mtime - age_s
    os.utime(file, (then, then))


async def noted(service: Service, words: str) -> str:
    """The note of `/readyz`, once it has these words."""

    async def said() -> str | None:
        note: str = (await service.facts())["held_back_note"]
        return note if words in note else None

    return await until(said, f"a note with {words!r}")


async def test_accents_in_names_are_one_name_however_they_are_written(service: Service):
    (service.watched / DECOMPOSED).write_text("Um relatório com acento.")
    document = await service.named(COMPOSED)
    assert document["sources"][0]["key"] == COMPOSED
    (service.watched / DECOMPOSED).rename(service.watched / COMPOSED)
    (service.watched / "fim.txt").write_text("Outro arquivo.")
    await service.named("fim.txt")
    after = await service.settled(document["id"])
    assert (after["version"], after["name"]) == (1, COMPOSED)


@pytest.mark.parametrize(
    ("older", "newer"),
    [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED), ("GUIA.txt", "guia.txt"), ("a/B.txt", "A/b.txt")],
)
async def test_of_two_files_of_one_name_the_newest_is_read_and_the_other_named(
    service: Service, older: str, newer: str
):
    for name in (older, newer):
        (service.watched / name).parent.mkdir(exist_ok=True)
    write(service.watched / older, "A girafa vive na savana.", age_s=3600)
    write(service.watched / newer, "O pinguim vive no gelo.", age_s=60)
    document = await service.named(unicodedata.normalize("NFC", Path(newer).name))
    await noted(service, "one name, written differently")
    for _ in range(3):
        report = await scan(service)
        assert report["new_or_changed"] == 0
        assert older in {
            unicodedata.normalize(form, path) for form in ("NFC", "NFD") for path in told(report, "refused")
        }
    settled = await service.settled(document["id"])
    assert settled["version"] <= 2  # the older may have come first, and never comes back
    assert await service.found("pinguim gelo") == [settled["name"]]
    assert await service.found("girafa savana") == []
    assert len(await service.documents()) == 1
    (service.watched / newer).unlink()

    async def older_again() -> bool:
        return await service.found("girafa savana") != []

    await until(older_again, "the older file, which is the only one now")
    assert {item["id"] for item in (await service.documents()).values()} == {document["id"]}
    await released(service)


async def test_renaming_only_the_case_keeps_the_document(service: Service):
    (service.watched / "guia.txt").write_text("O guia da biblioteca.")
    first = await service.named("guia.txt")
    (service.watched / "guia.txt").rename(service.watched / "GUIA.txt")
    second = await service.named("GUIA.txt")
    assert second["id"] == first["id"]
    await source(service, first["id"], "GUIA.txt")
    (service.watched / "GUIA.txt").rename(service.watched / "Guia.txt")
    (service.watched / "Guia.txt").write_text("O guia da biblioteca, com o novo horário.")

    async def both_new() -> bool:
        return await service.found("novo horário") == ["Guia.txt"]

    await until(both_new, "the new text under the new name")
    assert (await service.named("Guia.txt"))["id"] == first["id"]
    assert len(await service.documents()) == 1


async def test_a_name_that_would_be_shown_reversed_is_cleaned_by_a_rename_too(service: Service):
    (service.watched / "nota.txt").write_text("A nota da biblioteca.")
    first = await service.named("nota.txt")
    (service.watched / "nota.txt").rename(service.watched / "nota\u202e  fim.txt")
    await source(service, first["id"], "nota\u202e  fim.txt")
    assert (await service.document(first["id"]))["name"] == "nota fim.txt"
    (service.watched / "nota\u202e  fim.txt").rename(service.watched / "outra.txt")
    await source(service, first["id"], "outra.txt")
    assert (await service.document(first["id"]))["name"] == "outra.txt"


@pytest.mark.parametrize("name", ["x" * 251 + ".txt", "é" * 125 + "x.txt"], ids=["ascii", "accents"])
async def test_a_name_of_255_bytes_is_taken_whole(service: Service, name: str):
    assert len(name.encode()) == 255
    (service.watched / name).write_text("Um nome comprido.")
    document = await service.named(name)
    assert document["sources"][0]["key"] == name
    assert await service.found("nome comprido") == [name]


async def test_a_name_in_an_old_code_page_is_taken_like_any_other(service: Service):
    (service.watched / os.fsdecode(b"relat\xf3rio.txt")).write_text("O farol fica no morro.")
    (service.watched / "z.txt").write_text("Este vem depois.")
    document = await service.named("relatório.txt")
    assert [source["key"] for source in document["sources"]] == ["relatório.txt"]
    await service.named("z.txt")


async def test_links_are_refused_wherever_they_lead(service: Service, tmp_path: Path):
    (tmp_path / "fora").mkdir()
    (tmp_path / "fora" / "segredo.txt").write_text("Isto fica fora.")
    (service.watched / "dentro.txt").write_text("Isto fica dentro.")
    (service.watched / "atalho.txt").symlink_to(tmp_path / "fora" / "segredo.txt")
    (service.watched / "pasta").symlink_to(tmp_path / "fora", target_is_directory=True)
    (service.watched / "eco.txt").symlink_to(service.watched / "dentro.txt")
    (service.watched / "solto.txt").symlink_to(service.watched / "nada.txt")
    (service.watched / "volta").symlink_to(service.watched, target_is_directory=True)
    document = await service.named("dentro.txt")
    report = await scan(service)
    links = {"atalho.txt", "pasta", "eco.txt", "solto.txt", "volta"}
    assert told(report, "refused") == dict.fromkeys(links, "is a link")
    assert set(await service.documents()) == {"dentro.txt"}
    assert [source["key"] for source in document["sources"]] == ["dentro.txt"]


async def test_pipes_and_sockets_are_never_opened(service: Service):
    os.mkfifo(service.watched / "cano.txt")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(service.watched)  # the path of a socket may have 108 bytes
        try:
            listener.bind("tomada.txt")
        finally:
            os.chdir(here)
        (service.watched / "bom.txt").write_text("Este entra.")
        await service.named("bom.txt")
        report = await scan(service)
        assert told(report, "refused") == dict.fromkeys(["cano.txt", "tomada.txt"], "is no regular file")
        assert set(await service.documents()) == {"bom.txt"}


@pytest.mark.parametrize("mode", ["inotify", "polling"])
async def test_what_may_not_be_read_is_named_keeps_its_document_and_is_taken_when_it_may(tmp_path: Path, mode: str):
    with without_root_rights():
        async with watching(tmp_path, mode) as service:
            file = service.watched / "ata.txt"
            file.write_text("A ata da reunião de maio.")
            (service.watched / "sala").mkdir()
            (service.watched / "sala" / "nota.txt").write_text("A nota da sala.")
            first = (await ready(service, 2))["ata.txt"]
            file.write_text("A ata da reunião de junho, corrigida.")
            file.chmod(0)
            (service.watched / "sala").chmod(0)
            (service.watched / "outro.txt").write_text("Este se pode ler.")
            await service.named("outro.txt")
            await noted(service, "ata.txt (Permission denied)")
            await scan(service)
            await noted(service, "Not readable: sala.")
            assert set(await service.documents(status="ready")) == {"ata.txt", "nota.txt", "outro.txt"}
            assert await service.found("reunião de maio") == ["ata.txt"]
            (service.watched / "sala").chmod(0o755)
            file.chmod(0o644)
            await version(service, first["id"], 2)
            await scan(service)
            assert (await service.facts())["held_back_note"] == ""
