"""What `xgtwin ingest` finds in a folder, and what it says about the time that is left."""

import os
from pathlib import Path

import pytest

from xgtwin.ingest_display import Pace, shown
from xgtwin.ingest_files import local_files


class Clock:
    """Time as a test wants it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_no_estimate_is_given_before_there_is_something_to_rest_it_on():
    clock = Clock()
    pace = Pace(clock)
    for _ in range(2):
        clock.now += 1
        pace.finished()
        assert pace.words(left=100) == ""
    clock.now += 1
    pace.finished()
    assert pace.words(left=60) == "60/min, about 60 s left"


def test_the_estimate_grows_while_a_long_document_is_read():
    clock = Clock()
    pace = Pace(clock)
    for _ in range(10):
        clock.now += 1
        pace.finished()
    assert pace.words(left=10) == "60/min, about 10 s left"
    clock.now += 90
    assert pace.words(left=10) == "6/min, about 2 min left"


def test_the_estimate_follows_the_pace_of_the_last_documents():
    clock = Clock()
    pace = Pace(clock)
    for seconds in [0.1] * 200 + [6.0] * 31:
        clock.now += seconds
        pace.finished()
    assert pace.words(left=100) == "10/min, about 10 min left"
    assert pace.words(left=2000) == "10/min, about 3.3 h left"
    assert pace.words(left=0) == "10/min"


def test_files_are_named_by_their_place_and_links_and_ignored_names_are_passed_over(tmp_path: Path):
    for name in ("b/leia.txt", "a/leia.txt", ".git/config", "nova.pdf.part"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link.txt").symlink_to(tmp_path / "a/leia.txt")
    assert [file.name for file in local_files(tmp_path, [".*", "*.part"])] == ["a/leia.txt", "b/leia.txt"]
    assert [file.name for file in local_files(tmp_path / "a/leia.txt", [])] == ["leia.txt"]


def test_a_name_that_is_not_utf8_is_read_as_windows_wrote_it(tmp_path: Path):
    path = os.fsencode(tmp_path) + "/ata da reunião.txt".encode("cp1252")
    try:
        with open(path, "wb") as file:  # noqa: PTH123 - pathlib takes no bytes
            file.write("decisão".encode())
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    (found,) = local_files(tmp_path, [])
    assert found.name == "ata da reunião.txt"
    assert found.fingerprint()["size"] == 8


def test_names_of_others_cannot_move_the_cursor():
    assert shown("a\x1b[2Jb\r\n") == "a\ufffd[2Jb\ufffd\ufffd"
