"""A bomb kills only its own reader."""

import mmap
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_service.parsing.blocks import ParsingLimits
from ingest_service.parsing.errors import ParserDied, ProtectedDocument
from ingest_service.parsing.media_types import PDF, PLAIN
from ingest_service.parsing.sandbox import Sandbox
from tests.integration.ingest.documents import pdf, protected_pdf

HOARD: list[mmap.mmap] = []


def wanted() -> None:
    pass


def fail() -> None:
    raise RuntimeError(str(os.getpid()))


def hoard() -> None:
    """What a hungry parser does that survives: it gives nothing back."""
    HOARD.append(mmap.mmap(-1, 250 << 20))


def need_some_memory() -> int:
    return len(mmap.mmap(-1, 200 << 20))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(ParsingLimits(max_pages=10, timeout_s=3, memory_mb=400), readers=1)
    yield sandbox
    sandbox.close()


def test_out_of_memory_is_an_error_and_the_next_document_is_read(sandbox: Sandbox, tmp_path: Path):
    bomb, good = tmp_path / "bomb", tmp_path / "good"
    with bomb.open("wb") as stream:
        stream.truncate(600 << 20)
    good.write_bytes(pdf(["Tudo bem aqui."]))
    with pytest.raises(ParserDied, match="INGEST__PARSE_MEMORY_MB"):
        sandbox.parse(bomb, PLAIN, still_wanted=wanted)
    assert sandbox.parse(good, PDF, still_wanted=wanted).pages == 1


def test_a_reader_that_does_not_end_is_ended(sandbox: Sandbox, tmp_path: Path):
    never = tmp_path / "never"
    os.mkfifo(never)  # opening it waits for ever
    started = time.monotonic()
    with pytest.raises(ParserDied, match="INGEST__PARSE_TIMEOUT_S"):
        sandbox.parse(never, PLAIN, still_wanted=wanted)
    assert time.monotonic() - started < 10


def test_reading_ends_when_it_is_no_longer_wanted(sandbox: Sandbox, tmp_path: Path):
    never = tmp_path / "never"
    os.mkfifo(never)

    def unwanted() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        sandbox.parse(never, PLAIN, still_wanted=unwanted)


def test_the_door_sees_a_password_at_once(sandbox: Sandbox, tmp_path: Path):
    path = tmp_path / "p"
    path.write_bytes(protected_pdf())
    with pytest.raises(ProtectedDocument, match="save it without one"):
        sandbox.check(path, PDF)


def test_a_reader_in_which_something_unforeseen_happened_reads_no_other_document(sandbox: Sandbox):
    with pytest.raises(RuntimeError) as failure:
        sandbox.call(wanted, fail)
    assert int(str(failure.value)) not in {sandbox.call(wanted, os.getpid) for _ in range(20)}


def test_what_a_hungry_document_kept_is_not_missed_by_the_next(sandbox: Sandbox):
    for _ in range(4):  # more often than there are children
        sandbox.call(wanted, hoard)
    for _ in range(4):
        assert sandbox.call(wanted, need_some_memory) == 200 << 20
