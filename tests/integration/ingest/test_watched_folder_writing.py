"""Files that are being written, replaced and changed: each version is taken once, whole, and never missed."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from watchdog.events import FileOpenedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from ingest_service.watched_folder import opening
from tests.integration.ingest.documents import pdf
from tests.integration.ingest.service import Service, running, until
from tests.integration.ingest.watched import ready, scan, version, wait_for_file, watching

SLOW_COPY = """
import sys, time
data = open(sys.argv[1], "rb").read()
with open(sys.argv[2], "wb") as target:
    for start in range(0, len(data), len(data) // 3 + 1):
        target.write(data[start:start + len(data) // 3 + 1]); target.flush(); time.sleep(1.0)
"""


def slow_copy(source: Path, target: Path) -> subprocess.Popen[bytes]:
    """Another program that copies in three pieces, pausing for less than the quiet time."""
    return subprocess.Popen([sys.executable, "-c", SLOW_COPY, str(source), str(target)])


async def test_a_slow_copy_is_read_when_it_is_complete(service: Service, tmp_path: Path):
    (tmp_path / "lento.pdf").write_bytes(pdf([f"Folha {n} do relatório lento." for n in range(1, 6)]))
    copying = slow_copy(tmp_path / "lento.pdf", service.watched / "lento.pdf")
    document = await service.named("lento.pdf")
    assert copying.wait() == 0
    assert (document["version"], document["pages"]) == (1, 5)


@pytest.mark.parametrize("mode", ["inotify", "polling"])
async def test_a_copy_that_began_before_the_start_is_read_when_it_is_complete(tmp_path: Path, mode: str):
    (tmp_path / "watched").mkdir()
    (tmp_path / "lento.pdf").write_bytes(pdf([f"Folha {n} do relatório lento." for n in range(1, 6)]))
    copying = slow_copy(tmp_path / "lento.pdf", tmp_path / "watched" / "lento.pdf")
    await asyncio.to_thread(wait_for_file, tmp_path / "watched" / "lento.pdf")
    async with watching(tmp_path, mode) as service:
        document = await service.named("lento.pdf")
        assert copying.wait() == 0
        assert (document["version"], document["pages"]) == (1, 5)


async def test_a_download_is_taken_under_its_last_name_only(service: Service):
    part = service.watched / "guia.pdf.part"
    part.write_bytes(pdf(["A cancela abre às seis."]))
    (service.watched / "fim.txt").write_text("Outro arquivo.")
    await service.named("fim.txt")
    part.rename(service.watched / "guia.pdf")
    document = await service.named("guia.pdf")
    assert document["version"] == 1
    assert set(await service.documents()) == {"guia.pdf", "fim.txt"}


async def test_an_editor_that_saves_by_rename_makes_the_next_version(service: Service):
    file = service.watched / "norma.txt"
    file.write_text("A sirene toca ao meio-dia.")
    first = await service.named("norma.txt")
    replacement = service.watched / ".norma.txt.swp"
    replacement.write_text("Um apito soa cedinho.")
    replacement.rename(file)
    await version(service, first["id"], 2)
    assert await service.found("apito cedinho") == ["norma.txt"]
    assert await service.found("sirene meio-dia") == []


async def test_an_editor_that_writes_in_place_makes_the_next_version(service: Service):
    file = service.watched / "norma.txt"
    file.write_text("A sirene toca ao meio-dia.")
    first = await service.named("norma.txt")
    file.write_text("Um apito soa cedinho, antes do sol.")
    await version(service, first["id"], 2)
    assert await service.found("apito cedinho") == ["norma.txt"]


async def test_an_editor_that_deletes_and_writes_anew_keeps_the_document(service: Service):
    file = service.watched / "norma.txt"
    file.write_text("A sirene toca ao meio-dia.")
    (service.watched / "outra.txt").write_text("Uma segunda norma.")
    first = await service.named("norma.txt")
    await service.named("outra.txt")
    file.unlink()
    await scan(service)  # a scan that falls into the gap believes nothing yet
    file.write_text("Um apito soa cedinho, antes do sol.")
    second = await version(service, first["id"], 2)
    assert (second["name"], second["status"]) == ("norma.txt", "ready")


async def test_replacing_by_a_copy_with_the_old_time_and_size_is_noticed(service: Service, tmp_path: Path):
    file = service.watched / "tarifa.txt"
    file.write_text("A tarifa custa 10 reais.")
    first = await service.named("tarifa.txt")
    before = file.stat()
    (tmp_path / "nova.txt").write_text("A tarifa custa 90 reais.")
    os.utime(tmp_path / "nova.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    shutil.copy2(tmp_path / "nova.txt", file)
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    await version(service, first["id"], 2)
    assert await service.found("tarifa 90 reais") == ["tarifa.txt"]


@pytest.mark.parametrize("years", [-60, 60, 4000], ids=["1966", "2086", "6026"])
async def test_a_file_from_another_time_is_taken_and_its_next_version_too(service: Service, years: int):
    file = service.watched / "relogio.txt"
    seconds = time.time() + years * 365 * 86400

    def write(text: str) -> None:
        file.write_text(text)
        os.utime(file, (seconds, seconds))

    write("O relógio da torre parou.")
    first = await service.named("relogio.txt")
    write("O relógio da torre voltou a andar.")
    await version(service, first["id"], 2)
    assert (await scan(service))["new_or_changed"] == 0


@pytest.mark.parametrize("jump", [-86400.0, 86400.0], ids=["back", "forward"])
async def test_a_clock_that_jumps_stops_nothing_in_the_folder(
    service: Service, monkeypatch: pytest.MonkeyPatch, jump: float
):
    (service.watched / "antes.txt").write_text("Escrito antes do salto.")
    await service.named("antes.txt")
    really = time.time
    monkeypatch.setattr(time, "time", lambda: really() + jump)
    (service.watched / "depois.txt").write_text("Escrito depois do salto.")
    await service.named("depois.txt")
    (service.watched / "antes.txt").unlink()
    await service.gone("antes.txt")


@pytest.mark.parametrize("mode", ["inotify", "polling"])
async def test_of_a_thousand_files_at_once_none_is_lost_and_the_service_answers_meanwhile(tmp_path: Path, mode: str):
    async with watching(tmp_path, mode, workers=0) as service:
        for number in range(1000):
            (service.watched / f"{number:04}.txt").write_text(f"Ficha de número {number}.")
        seen: set[int] = set()

        async def admitted() -> bool:
            seen.add((await service.facts())["documents"].get("queued", 0))
            return max(seen) >= 1000

        await until(admitted, "a thousand documents", 60)
        assert len(seen) > 3  # it told how far it was while it took them


async def test_a_file_that_vanishes_between_the_last_look_and_the_reading_leaves_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    descend = opening._descend

    def too_late(root: Path, path: Path) -> int:
        if path.name == "fugaz.txt":
            path.unlink(missing_ok=True)
        return descend(root, path)

    monkeypatch.setattr(opening, "_descend", too_late)
    (service.watched / "fugaz.txt").write_text("Este some.")
    (service.watched / "fixo.txt").write_text("Este fica.")
    await service.named("fixo.txt")

    async def vanished() -> bool:
        return not (service.watched / "fugaz.txt").exists()

    await until(vanished, "the file to vanish")
    report = await scan(service)
    assert (report["files"], report["new_or_changed"]) == (1, 0)
    assert set(await service.documents()) == {"fixo.txt"}
    assert (await service.facts())["held_back_note"] == ""


class Opened(FileSystemEventHandler):
    """Which files anybody opened."""

    def __init__(self) -> None:
        self.paths: set[str] = set()

    def dispatch(self, event: FileSystemEvent) -> None:
        if isinstance(event, FileOpenedEvent):
            self.paths.add(Path(str(event.src_path)).name)


async def test_unchanged_files_are_not_even_opened_at_a_restart(tmp_path: Path):
    watched = tmp_path / "watched"
    watched.mkdir()
    for name in ("fixo.txt", "mudado.txt"):
        (watched / name).write_text(f"O texto de {name}.")
    async with running(tmp_path, watch="inotify") as service:
        await ready(service, 2)
    (watched / "mudado.txt").write_text("O texto mudado, agora mais longo.")
    opened, observer = Opened(), Observer()
    observer.schedule(opened, str(watched))
    observer.start()
    try:
        async with watching(tmp_path, "inotify") as service:
            document = await service.named("mudado.txt")
            await version(service, document["id"], 2)

            async def noticed() -> bool:
                return "mudado.txt" in opened.paths

            await until(noticed, "the observer to tell of the changed file")
            assert opened.paths == {"mudado.txt"}
    finally:
        observer.stop()
        observer.join()
