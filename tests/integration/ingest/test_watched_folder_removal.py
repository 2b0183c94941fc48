"""Files that go: what was deleted goes, what moved stays, and an accident deletes nothing (open-webui#19190)."""

import os
import shutil
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from tests.integration.ingest.documents import long_text
from tests.integration.ingest.service import Service, until
from tests.integration.ingest.watched import (
    held_back,
    mount,
    ready,
    released,
    scan,
    source,
    told,
    unmount,
    watching,
)

MODES = pytest.mark.parametrize("mode", ["inotify", "polling"])


def write(folder: Path, count: int, start: int = 0) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    for number in range(start, start + count):
        (folder / f"{number}.txt").write_text(f"Documento de número {number}, em {folder.name}.")


async def stays(service: Service, names: set[str]) -> None:
    """Nothing goes, neither by a scan now nor by one after whatever is missing has been missing for long enough."""

    async def decided() -> bool:
        report = await scan(service)
        assert report["deleted"] == 0
        return not told(report, "waiting")

    await until(decided, "the missing files to be judged")
    assert set(await service.documents(status="ready")) == names


async def test_a_file_deleted_while_it_is_read_leaves_nothing(service: Service):
    (service.watched / "fica.txt").write_text("Este fica.")
    file = service.watched / "longo.txt"
    file.write_text("O livro longo. " + long_text(60_000))  # several times what it takes to believe that it is gone

    async def under_way() -> str | None:
        document = (await service.documents()).get("longo.txt")
        return document["id"] if document and document["status"] in {"parsing", "embedding"} else None

    document_id = await until(under_way, "the reading to begin")
    file.unlink()
    await service.gone("longo.txt", 30)
    jobs = (await service.http.get("/jobs", params={"document_id": document_id})).json()["items"]

    async def ended() -> bool:
        nonlocal jobs
        jobs = (await service.http.get("/jobs", params={"document_id": document_id})).json()["items"]
        return all(job["state"] in {"done", "cancelled"} for job in jobs)

    await until(ended, "its jobs to end")
    assert "cancelled" in {job["state"] for job in jobs}
    assert await service.chunks_of(document_id) == 0
    assert await service.found("livro longo") == []
    assert set(await service.documents()) == {"fica.txt"}


@pytest.mark.parametrize("count", [1, 6])
async def test_an_emptied_folder_deletes_nothing_until_it_is_confirmed(service: Service, count: int):
    write(service.watched, count)
    names = set(await ready(service, count))
    for file in service.watched.iterdir():
        file.unlink()
    (service.watched / ".keep").touch()  # an ignored file does not make it less empty
    note = await held_back(service, count)
    assert "is empty" in note
    assert "confirm=true" in note
    await stays(service, names)
    report = await scan(service, confirm=True)
    assert (report["deleted"], report["held_back"]) == (count, 0)
    assert await service.documents() == {}
    facts = await service.facts()
    assert (facts["held_back"], facts["held_back_note"]) == (0, "")


async def test_a_missing_folder_deletes_nothing_and_all_goes_on_when_it_is_back(service: Service):
    write(service.watched, 2)
    names = set(await ready(service, 2))
    service.watched.rename(service.watched.with_name("away"))
    assert "is missing" in await held_back(service, 2)
    await stays(service, names)
    service.watched.with_name("away").rename(service.watched)
    await released(service)
    (service.watched / "novo.txt").write_text("Um documento novo.")
    await service.named("novo.txt")
    (service.watched / "novo.txt").unlink()
    await service.gone("novo.txt")


async def test_another_folder_in_its_place_deletes_nothing_and_is_listened_to(service: Service):
    write(service.watched, 3)
    await ready(service, 3)
    service.watched.rename(service.watched.with_name("away"))
    write(service.watched, 1, start=7)
    assert "another one than before" in await held_back(service, 3)
    await stays(service, {"0.txt", "1.txt", "2.txt", "7.txt"})
    assert (await scan(service, confirm=True))["deleted"] == 3
    (service.watched / "8.txt").write_text("O número oito.")
    await service.named("8.txt")
    (service.watched / "7.txt").unlink()
    await service.gone("7.txt")


@pytest.mark.skipif(os.geteuid() != 0, reason="opt-in: only root may mount")
async def test_an_unmounted_folder_deletes_nothing_and_all_goes_on_when_it_is_mounted_again(
    service: Service, tmp_path: Path
):
    disk = tmp_path / "disk"
    write(disk, 3)
    mount(disk, service.watched)
    try:
        names = set(await ready(service, 3))
        unmount(service.watched)
        assert "is empty" in await held_back(service, 3)
        await stays(service, names)
        mount(disk, service.watched)
        await released(service)
        (service.watched / "novo.txt").write_text("Um documento novo.")
        await service.named("novo.txt")
        (disk / "novo.txt").unlink()
        await service.gone("novo.txt")
    finally:
        unmount(service.watched, surely=False)


async def test_half_of_the_documents_at_once_are_held_back_and_come_back_by_themselves(
    service: Service, tmp_path: Path
):
    write(service.watched, 9)
    names = set(await ready(service, 9))
    (tmp_path / "away").mkdir()
    for number in range(5):
        (service.watched / f"{number}.txt").rename(tmp_path / "away" / f"{number}.txt")
    assert "5 documents vanished" in await held_back(service, 5)
    await stays(service, names)
    for file in (tmp_path / "away").iterdir():
        file.rename(service.watched / file.name)
    await released(service)
    assert set(await service.documents(status="ready")) == names


async def test_new_files_do_not_release_what_is_held_back(service: Service):
    write(service.watched, 10)
    names = set(await ready(service, 10))
    for number in range(6):
        (service.watched / f"{number}.txt").unlink()
    await held_back(service, 6)
    write(service.watched, 3, start=20)
    await ready(service, 13)
    assert "6 documents vanished" in await held_back(service, 6)
    await stays(service, names | {"20.txt", "21.txt", "22.txt"})
    assert (await scan(service, dry_run=True))["held_back"] == 6
    assert (await scan(service, confirm=True))["deleted"] == 6
    await released(service)


async def test_a_new_file_in_a_sub_folder_that_vanished_does_not_release_it(service: Service, tmp_path: Path):
    write(service.watched, 7)
    write(service.watched / "disciplina", 5, start=10)
    names = set(await ready(service, 12))
    (service.watched / "disciplina").rename(tmp_path / "away")
    await held_back(service, 5)
    write(service.watched / "disciplina", 1, start=20)
    await ready(service, 13)
    await stays(service, names | {"20.txt"})
    for file in (tmp_path / "away").iterdir():
        file.rename(service.watched / "disciplina" / file.name)
    await released(service)


async def test_a_sub_folder_that_vanishes_as_a_whole_is_held_back_and_nothing_else(service: Service):
    write(service.watched, 8)
    write(service.watched / "disciplina", 5, start=10)
    names = set(await ready(service, 13))
    shutil.rmtree(service.watched / "disciplina")
    (service.watched / "0.txt").unlink()
    assert "disciplina" in await held_back(service, 5)
    await service.gone("0.txt")
    await stays(service, names - {"0.txt"})
    assert (await scan(service, confirm=True))["deleted"] == 5


async def test_a_few_deleted_files_go(service: Service):
    write(service.watched, 6)
    write(service.watched / "pequena", 2, start=10)
    names = set(await ready(service, 8))
    shutil.rmtree(service.watched / "pequena")
    (service.watched / "0.txt").unlink()

    async def gone() -> bool:
        return set(await service.documents()) == names - {"0.txt", "10.txt", "11.txt"}

    await until(gone, "three documents to be gone")


@MODES
async def test_what_is_held_back_is_held_back_after_a_restart(tmp_path: Path, mode: str):
    async with watching(tmp_path, mode) as service:
        write(service.watched, 2)
        await ready(service, 2)
    for file in (tmp_path / "watched").iterdir():
        file.unlink()
    async with watching(tmp_path, mode) as service:
        await held_back(service, 2)
        await stays(service, {"0.txt", "1.txt"})


async def test_renaming_a_file_keeps_its_document_and_stores_no_passage_again(service: Service):
    (service.watched / "velho.txt").write_text("O elevador panorâmico parou.")
    first = await service.named("velho.txt")
    stored = REGISTRY.get_sample_value("xgtwin_chunks_stored_total")
    (service.watched / "velho.txt").rename(service.watched / "novo.txt")
    second = await service.settled((await service.named("novo.txt"))["id"])
    assert (second["id"], second["chunks"]) == (first["id"], first["chunks"])
    assert await service.found("elevador panorâmico") == ["novo.txt"]
    assert await service.chunks_of(first["id"]) == first["chunks"]
    assert (second["version"], second["sources"]) == (1, [{"kind": "folder", "key": "novo.txt"}])
    assert REGISTRY.get_sample_value("xgtwin_chunks_stored_total") == stored


async def test_two_files_that_swap_their_names_keep_their_documents(service: Service):
    (service.watched / "a.txt").write_text("A girafa vive na savana.")
    (service.watched / "b.txt").write_text("O pinguim vive no gelo.")
    before = await ready(service, 2)
    await service.http.patch(f"/documents/{before['a.txt']['id']}", json={"title": "Girafas"})
    (service.watched / "a.txt").rename(service.watched / ".t.part")
    (service.watched / "b.txt").rename(service.watched / "a.txt")
    (service.watched / ".t.part").rename(service.watched / "b.txt")
    giraffe = await source(service, before["a.txt"]["id"], "b.txt")
    assert (giraffe["name"], giraffe["title"], giraffe["version"]) == ("b.txt", "Girafas", 1)
    penguin = await source(service, before["b.txt"]["id"], "a.txt")
    assert (penguin["name"], penguin["version"]) == ("a.txt", 1)
    assert len(await service.documents()) == 2


async def test_a_file_overwritten_by_a_copy_of_another_loses_its_document(service: Service):
    (service.watched / "a.txt").write_text("A girafa vive na savana.")
    (service.watched / "b.txt").write_text("O pinguim vive no gelo.")
    before = await ready(service, 2)
    (service.watched / "a.txt").write_text("O pinguim vive no gelo.")

    async def one_left() -> bool:
        return [item["id"] for item in (await service.documents()).values()] == [before["b.txt"]["id"]]

    await until(one_left, "the overwritten document to go")


async def test_the_same_unreadable_bytes_over_two_files_cost_neither_document(service: Service):
    (service.watched / "a.txt").write_text("A girafa vive na savana.")
    (service.watched / "b.txt").write_text("O pinguim vive no gelo.")
    before = await ready(service, 2)
    for name in ("a.txt", "b.txt"):
        (service.watched / name).write_bytes(b"%PDF-1.4\n1 0 obj\n<< broken")

    async def refused() -> bool:
        return bool(told(await scan(service), "refused"))

    await until(refused, "the second file to be refused", 30)
    assert {item["id"] for item in (await service.documents()).values()} == {item["id"] for item in before.values()}
    assert await service.found("girafa savana") == ["a.txt"]
    assert await service.found("pinguim gelo") == ["b.txt"]


async def test_moving_between_sub_folders_does_nothing_to_the_document(service: Service):
    (service.watched / "2025").mkdir()
    (service.watched / "2025" / "ata.txt").write_text("A ata da reunião de maio.")
    first = await service.named("ata.txt")
    (service.watched / "2026").mkdir()
    (service.watched / "2025" / "ata.txt").rename(service.watched / "2026" / "ata.txt")
    after = await source(service, first["id"], "2026/ata.txt")
    assert (after["version"], after["status"]) == (1, "ready")


async def test_renaming_a_folder_of_many_files_keeps_every_document(service: Service):
    write(service.watched / "2025", 40)
    before = await ready(service, 40)
    (service.watched / "2025").rename(service.watched / "arquivo")

    async def moved() -> bool:
        documents = await service.documents(status="ready")
        keys = {source["key"] for document in documents.values() for source in document["sources"]}
        return keys == {f"arquivo/{number}.txt" for number in range(40)}

    await until(moved, "forty new sources", 30)
    after = await service.documents()
    assert {name: (item["id"], item["version"]) for name, item in after.items()} == {
        name: (item["id"], 1) for name, item in before.items()
    }
    assert (await service.facts())["held_back"] == 0


async def test_a_dry_run_tells_all_and_changes_nothing(tmp_path: Path):
    async with watching(tmp_path, "polling") as service:
        for name in ("fica", "muda", "some", "vira", "outro", "mais"):
            (service.watched / f"{name}.txt").write_text(f"O arquivo {name}.")
        await ready(service, 6)
    # Polling once an hour: from here on only the dry runs look at the folder.
    async with watching(tmp_path, "polling", poll_s=3600, rescan_s=3600) as service:
        before = await service.documents()
        (service.watched / "muda.txt").write_text("O arquivo agora é outro.")
        (service.watched / "outro.txt").touch()  # another time, the same bytes
        (service.watched / "some.txt").unlink()
        (service.watched / "vira.txt").rename(service.watched / "virou.txt")
        (service.watched / "novo.txt").write_text("O arquivo novo.")
        (service.watched / "vazio.txt").touch()
        (service.watched / "atalho.txt").symlink_to(service.watched / "fica.txt")
        (service.watched / "baixando.part").touch()
        for _ in range(2):
            report = await scan(service, dry_run=True)
            assert report["dry_run"] is True
            assert told(report, "new") == {"novo.txt": ""}
            assert told(report, "changed") == {"muda.txt": ""}
            assert told(report, "renamed") == {"virou.txt": "was vira.txt"}
            assert told(report, "deleted") == {"some.txt": ""}
            assert told(report, "waiting") == {}
            assert set(told(report, "refused")) == {"vazio.txt", "atalho.txt"}
            assert "0 bytes" in told(report, "refused")["vazio.txt"]
            assert told(report, "ignored") == {"baixando.part": ""}
            assert (report["unchanged"], report["new_or_changed"], report["deleted"]) == (3, 2, 1)
        assert await service.documents() == before
        assert len((await service.http.get("/jobs", params={"limit": 200})).json()["items"]) == 6


@MODES
async def test_a_dry_run_of_an_emptied_folder_tells_what_is_held_back(tmp_path: Path, mode: str):
    async with watching(tmp_path, mode) as service:
        write(service.watched, 2)
        await ready(service, 2)
        for file in service.watched.iterdir():
            file.unlink()
        report = await scan(service, dry_run=True)
        assert (report["deleted"], report["held_back"]) == (0, 2)
        assert set(told(report, "held back")) == {"0.txt", "1.txt"}
        report = await scan(service, dry_run=True, confirm=True)
        assert (report["deleted"], report["held_back"]) == (2, 0)
        assert set(await service.documents(status="ready")) == {"0.txt", "1.txt"}
