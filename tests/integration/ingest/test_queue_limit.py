"""A full queue: 503 with a time to come back for whoever sends, patience for the folder, and nothing lost."""

import asyncio
from pathlib import Path

from shared.observability.metrics import INGEST_TROUBLE
from tests.integration.ingest.service import running, until
from tests.integration.ingest.test_web_documents import LOOPBACK, article
from tests.integration.ingest.web_site import web_site


async def test_a_new_address_and_a_new_version_are_told_when_to_come_back(tmp_path: Path):
    async with web_site() as site, running(tmp_path, workers=0, max_queued=1, **LOOPBACK) as service:
        first = (await service.upload("1.txt", b"O primeiro.")).json()["documents"][0]
        page = site.page("/nova", article("A câmara tem cinco metros."))
        for refused in (
            await service.http.post("/documents", json={"url": page}),
            await service.http.post("/documents", json={"title": "Aviso", "text": "Um aviso."}),
            await service.http.put(f"/documents/{first['id']}", files={"files": ("1.txt", b"O segundo.")}),
        ):
            assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
            assert int(refused.headers["retry-after"]) > 0


async def test_files_of_the_folder_wait_outside_until_there_is_room(tmp_path: Path):
    postponed = INGEST_TROUBLE.labels("folder_file")._value
    folder = tmp_path / "watched"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.txt").write_text(f"A nota {number}.")
    before = postponed.get()
    async with running(tmp_path, workers=0, max_queued=2, watch="polling", poll_s=1) as service:

        async def turned_away() -> bool:
            return bool(postponed.get() > before)

        await until(turned_away, "a file that found the queue full", 60)
        assert len(await service.documents()) == 2
    async with running(tmp_path, max_queued=2, watch="polling", poll_s=1) as service:
        await asyncio.gather(*(service.named(f"{number}.txt", seconds=60) for number in range(4)))
