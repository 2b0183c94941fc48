"""Hostile files in the watched folder: none of them hides a good one, and each is accounted for with a reason."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import images_and_names, office_archives, pdf_structure
from tests.integration.ingest.documents import pdf
from tests.integration.ingest.service import Service, until
from tests.integration.ingest.watched import scan, told, watching

BAD = (
    pdf_structure.a_user_password,
    pdf_structure.truncated_at_10_percent,
    pdf_structure.no_bytes,
    pdf_structure.no_pages,
    pdf_structure.more_pages_than_allowed,
    office_archives.a_docx_that_unpacks_to_a_gigabyte,
    office_archives.an_xlsx_whose_strings_unpack_to_a_gigabyte,
    office_archives.a_docx_cut_in_the_middle,
    office_archives.members_behind_a_password,
    office_archives.an_office_document_behind_a_password,
    images_and_names.a_program_in_front_of_a_docx,
    images_and_names.a_program_named_pdf,
)
MODULES = (pdf_structure, office_archives, images_and_names)
CASES = [case for module in MODULES for case in module.case.all if case.name in {make.__name__ for make in BAD}]
ODD = (
    b"x" * 251 + b".txt",
    b"duas\nlinhas.txt",
    "\u202efdp.gpj.txt".encode(),
    b"-rf.txt",
    b"relat\xf3rio.txt",
)
LIMITS: dict[str, Any] = {
    "parse_timeout_s": 5,
    "parse_memory_mb": 768,
    "max_attempts": 1,
    "max_unpacked_mb": office_archives.MAX_UNPACKED_MB,
    "max_pages": pdf_structure.MAX_PAGES,
}


async def reasons(service: Service, names: set[str]) -> dict[str, str]:
    """Why each of these files cannot be found, once all of them are known to be such."""

    async def all_told() -> dict[str, str] | None:
        refused = told(await scan(service), "refused")
        turned_away = {
            name: document["error"] or ""
            for name, document in (await service.documents()).items()
            if document["status"] == "quarantined"
        }
        found = {**turned_away, **refused}
        return found if names <= set(found) else None

    return await until(all_told, "a reason for every hostile file", 45)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", ["inotify", "polling"])
async def test_hostile_files_are_named_with_their_reasons_and_hide_no_good_one(tmp_path: Path, mode: str):
    async with watching(tmp_path, mode, **LIMITS) as service:
        for case in CASES:
            (service.watched / case.filename).write_bytes(case.make(""))
        for number, name in enumerate(ODD):
            (service.watched / os.fsdecode(name)).write_text(f"A pitomba número {number} amadurece devagar.")
        (service.watched / "bom.pdf").write_bytes(pdf(["O bom documento traz a bonança."]))
        assert len(CASES) == len(BAD)

        await service.named("bom.pdf", seconds=45)
        assert await service.found("bonança") == ["bom.pdf"]
        why = await reasons(service, {case.filename for case in CASES})
        for case in CASES:
            assert any(words in why[case.filename] for words in case.says), why[case.filename]

        async def odd_names_found() -> bool:
            return len(await service.documents(status="ready")) == len(ODD) + 1

        await until(odd_names_found, "the files of odd names", 30)
        assert len(set(await service.found("pitomba amadurece"))) == len(ODD)
