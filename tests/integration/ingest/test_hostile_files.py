"""Bombs, lies, locks and halves of files: each ends in time with a reason that a person understands, and the next
document does not notice."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from tests.hostile import (
    images_and_names,
    office_archives,
    office_xml,
    pdf_content,
    pdf_structure,
    text_files,
    web_and_mail,
)
from tests.hostile.case import NO_TEXT_SAYS, TURNED_AWAY, Case
from tests.hostile.trap import Trap, trap
from tests.integration.ingest.documents import pdf
from tests.integration.ingest.service import Service, running
from tests.processes import command, descendants, resident_mb

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(60)]

MODULES = (pdf_structure, pdf_content, office_archives, office_xml, text_files, web_and_mail, images_and_names)
CASES = [case for module in MODULES for case in module.case.all]
LIMITS: dict[str, Any] = {
    "parse_timeout_s": 5,
    "parse_memory_mb": 768,
    "max_attempts": 1,
    "max_file_mb": text_files.MAX_FILE_MB,
    "max_unpacked_mb": office_archives.MAX_UNPACKED_MB,
    "max_pages": pdf_structure.MAX_PAGES,
}
END_SECONDS = 25
"""Door and reader each have their deadline; the rest is room for a busy machine."""
PULSE_SECONDS = 3.0
SLACK_MB = 400
"""What the service may hold more after all cases than before: it keeps the vectors of some 20,000 passages by then."""

MACHINE = re.compile(r"Traceback|Errno|/tmp|/proc|/home|0x[0-9a-f]{4}|Error\b|Exception|not foresee|None\b|<class")
"""What a reason must not show: our insides."""
SECRETS = ("root:x:0:0", "alert(", "javascript")
"""Of this machine, and of the insides of documents that no reader sees."""


@pytest.fixture(scope="module")
def nowhere() -> Iterator[Trap]:
    with trap() as listening:
        yield listening


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if "__" in name]:
            patch.delenv(name)
        async with running(tmp_path_factory.mktemp("hostile"), **LIMITS) as service:
            for number in range(5):
                await service.add(f"{number}.pdf", pdf([f"O bom documento número {number}."]))
            yield service
    left = [command(pid) for pid in descendants(os.getpid()) if b"spawn_main" in command(pid)]
    assert left == [], "reading processes that outlive their service"


@pytest.fixture(scope="module")
def before(service: Service) -> tuple[float, int]:
    """Memory of the service in MiB and number of its children before anything hostile arrived."""
    return resident_mb(os.getpid()), len(list(descendants(os.getpid())))


@asynccontextmanager
async def pulse(service: Service) -> AsyncIterator[None]:
    """The service answers /livez quickly all the while."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        answered = time.monotonic()
        while True:
            await asyncio.sleep(0.05)
            assert (await service.http.get("/livez")).is_success
            longest, answered = max(longest, time.monotonic() - answered), time.monotonic()

    watching = asyncio.create_task(watch())
    try:
        yield
        assert not watching.done(), "the service did not answer /livez"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert longest < PULSE_SECONDS, "the service stood still"


async def end_of(service: Service, name: str, data: bytes) -> tuple[str, str, dict[str, Any]]:
    """Send a file; how it ended, the reason, and the document if it became one."""
    response = await service.upload(name, data)
    if response.is_client_error:
        return "refused", response.json()["detail"], {}
    assert response.is_success, response.text
    document = await service.settled(response.json()["documents"][0]["id"], END_SECONDS)
    return document["status"], document["error"] or document.get("note") or "", document


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_it_ends_with_a_reason_and_the_next_document_does_not_notice(
    case: Case,
    service: Service,
    nowhere: Trap,
    before: tuple[float, int],
    record_property: Callable[[str, object], None],
):
    data = await asyncio.to_thread(case.make, nowhere.url)
    async with pulse(service):
        ended, reason, document = await end_of(service, case.filename, data)
        good = await service.add(f"bom-{case.name}.pdf", pdf([f"Depois de {case.name} vem a bonança."]))
    record_property("end", f"{ended}: {reason}")
    assert ended in case.ends, (ended, reason)
    assert not MACHINE.search(reason), reason
    if ended == "ready":
        assert not case.finds or document["name"] in await service.found(case.finds)
        text = (await service.http.get(f"/documents/{document['id']}/chunks")).text
        assert not any(secret in text for secret in SECRETS)
    else:
        assert reason.endswith("."), reason
        assert any(words in reason for words in (case.says if ended in TURNED_AWAY else NO_TEXT_SAYS)), reason
    assert (good["status"], good["error"]) == ("ready", None)
    assert good["name"] in await service.found(f"bonança {case.name}")
    assert nowhere.calls == 0, "a file's address was called"


async def test_afterwards_the_service_is_as_it_was(service: Service, before: tuple[float, int]):
    megabytes, children = before
    await service.add("ultimo.pdf", pdf(["O último documento bom."]))
    readers = list(descendants(os.getpid()))
    assert len(readers) <= children
    assert resident_mb(os.getpid()) < megabytes + SLACK_MB
    assert all(resident_mb(reader) < LIMITS["parse_memory_mb"] / 2 for reader in readers)
