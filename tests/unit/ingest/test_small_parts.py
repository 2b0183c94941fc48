"""Names, blobs, hints and the comparison of a folder with what is known of it."""

import hashlib
import time
from io import BytesIO
from pathlib import Path

import pytest

from ingest_service.documents.blobs import Blobs
from ingest_service.names import clean_name, title_of
from ingest_service.watched_folder.hints import Hints
from ingest_service.watched_folder.opening import FileState
from ingest_service.watched_folder.scan import ignored
from shared.errors import TooLarge


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("guia.pdf", "guia.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\aulas\\guia.pdf", "guia.pdf"),
        ("a\x00\x1b\u202eb\n.txt", "ab.txt"),
        ("relato\u0301rio.txt", "relatório.txt"),
        ("", "document"),
        ("...", "document"),
        ("é" * 300 + ".pdf", "é" * 125 + ".pdf"),
    ],
)
def test_names_are_safe_to_store_and_show(raw: str, expected: str):
    assert clean_name(raw) == expected
    assert len(clean_name(raw).encode()) <= 255


def test_a_file_name_makes_a_readable_title():
    assert [title_of(name) for name in ("guia-5g_v2.pdf", "LEIAME", ".env")] == ["guia 5g v2", "LEIAME", ".env"]


def blobs(folder: Path) -> Blobs:
    made = Blobs(folder, max_mb=1)
    made.prepare()
    return made


def test_bytes_are_kept_under_their_hash_and_only_once(tmp_path: Path):
    store = blobs(tmp_path)
    digest = hashlib.sha256(b"abc").hexdigest()
    for _ in range(2):
        with store.stage(BytesIO(b"abc"), "a") as staged:
            assert (staged.content_hash, staged.size) == (digest, 3)
            store.keep(staged)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [tmp_path / digest[:2] / digest]
    assert store.existing(digest).read_bytes() == b"abc"


def test_too_many_bytes_leave_nothing_behind(tmp_path: Path):
    with (
        pytest.raises(TooLarge, match="INGEST__MAX_FILE_MB"),
        blobs(tmp_path).stage(BytesIO(b"x" * (1 << 21)), "a"),
    ):
        pytest.fail("staged")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_half_received_bytes_of_a_dead_process_are_dropped_at_the_start(tmp_path: Path):
    blobs(tmp_path)
    (tmp_path / "incoming" / "half").write_bytes(b"x")
    blobs(tmp_path)
    assert not (tmp_path / "incoming" / "half").exists()


def test_bytes_are_dropped_only_when_nobody_needs_them(tmp_path: Path):
    store = blobs(tmp_path)
    with store.stage(BytesIO(b"abc"), "a") as staged:
        store.keep(staged)
    store.drop_unless(staged.content_hash, lambda: True)
    assert store.path(staged.content_hash).exists()
    store.drop_unless(staged.content_hash, lambda: False)
    assert not store.path(staged.content_hash).exists()


def test_a_path_is_due_when_it_was_quiet_long_enough():
    hints = Hints()
    hints.touch("a", 0.0)
    hints.touch("b", 60.0)
    assert [path for path, _ in hints.take_due()] == ["a"]
    assert len(hints) == 1


def test_a_scan_does_not_delay_a_file_that_it_sees_again_and_again():
    hints = Hints()
    old = FileState(5, time.time_ns() - 10**11)
    hints.seen("a", old)
    deadline = time.monotonic() + 5
    due: list[object] = []
    while not due and time.monotonic() < deadline:
        hints.seen("a", old)
        due = list(hints.take_due())
    assert due == [("a", old)]


@pytest.mark.parametrize(
    ("key", "passed_over"),
    [
        ("aula.pdf", False),
        ("2026/aula.pdf", False),
        (".git/aula.pdf", True),
        ("2026/~$aula.docx", True),
        ("aula.pdf.part", True),
    ],
)
def test_ignore_patterns_hold_for_files_and_for_folders_on_the_way(key: str, passed_over: bool):
    assert ignored(key, [".*", "~$*", "*.part"]) is passed_over
