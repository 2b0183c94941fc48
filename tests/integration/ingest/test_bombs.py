"""Pages made to take all memory or all time cost themselves and nothing else."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_service.parsing.blocks import ParsingLimits
from ingest_service.parsing.errors import ParserDied
from ingest_service.parsing.media_types import PDF
from ingest_service.parsing.ocr.tessdata import find_language_data
from ingest_service.parsing.sandbox import Sandbox
from ingest_service.reading.reader import Reader
from tests.integration.ingest.bombs import pdf_with
from tests.integration.ingest.documents import pdf

ROOT = Path(__file__).parents[3]


def no_report(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(ParsingLimits(max_pages=100, timeout_s=4, memory_mb=1024), readers=1)
    yield sandbox
    sandbox.close()


@pytest.mark.parametrize("harm", ["endless", "swelling"])
def test_a_bomb_page_is_left_out_and_named_and_all_others_are_read(harm: str, sandbox: Sandbox, tmp_path: Path):
    path = tmp_path / "bomb.pdf"
    path.write_bytes(pdf_with(harm, pages=55, at=7))
    document = Reader(sandbox, tmp_path / "kept", find_language_data(None)).read(path, "0" * 64, PDF, no_report)
    assert {block.page for block in document.blocks} == set(range(1, 56)) - {7}
    assert document.note == "Could not be read and left out: page 7."


def test_a_document_that_is_nothing_but_a_bomb_fails_and_the_next_one_is_read(sandbox: Sandbox, tmp_path: Path):
    bomb, good = tmp_path / "bomb.pdf", tmp_path / "good.pdf"
    bomb.write_bytes(pdf_with("endless", pages=1, at=1))
    good.write_bytes(pdf(["Tudo bem aqui."]))
    reader = Reader(sandbox, tmp_path / "kept", find_language_data(None))
    with pytest.raises(ParserDied, match="INGEST__PARSE_"):
        reader.read(bomb, "0" * 64, PDF, no_report)
    assert reader.read(good, "1" * 64, PDF, no_report).pages == 1


_SERVICE = """
import os, signal, sys, threading, time
from pathlib import Path
from ingest_service.parsing.blocks import ParsingLimits
from ingest_service.parsing.sandbox import Sandbox

if __name__ == "__main__":
    sandbox = Sandbox(ParsingLimits(max_pages=10, timeout_s=100, memory_mb=4096), readers=1)
    print(sandbox.call(lambda: None, os.getpid), flush=True)
    threading.Thread(target=sandbox.call, args=(lambda: None, hash_for_ever), daemon=True).start()
    time.sleep(100)
"""


def test_readers_die_with_a_killed_service_even_in_an_endless_loop(tmp_path: Path):
    script = tmp_path / "service.py"
    loop = "def hash_for_ever():\n    print(os.getpid(), flush=True)\n    while True: hash('x')\n"
    script.write_text(_SERVICE.replace("if __name__", loop + "\nif __name__"))
    service = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"}
    )
    assert service.stdout is not None
    readers = {int(service.stdout.readline()), int(service.stdout.readline())}
    service.send_signal(signal.SIGKILL)
    service.wait()
    deadline = time.monotonic() + 10
    while left := [reader for reader in readers if _runs(reader)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _runs(process: int) -> bool:
    """Whether a process is there and not only waiting to be buried by whoever inherited it."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
