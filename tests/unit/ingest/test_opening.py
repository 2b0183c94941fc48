"""Opening watched files: only the regular file that was looked at, and only if it stays so to its end."""

import os
from pathlib import Path

import pytest

from ingest_service.watched_folder.opening import FileState, StillChanging, open_steady


def state_of(path: Path) -> FileState:
    return FileState.of(os.lstat(path))


def test_a_file_that_stays_as_it_is_is_read_to_its_end(tmp_path: Path):
    file = tmp_path / "a" / "b.txt"
    file.parent.mkdir()
    file.write_bytes(b"texto")
    with open_steady(tmp_path, str(file), state_of(file)) as stream:
        assert (stream.read(3), stream.read(3), stream.read(3)) == (b"tex", b"to", b"")


def test_a_file_that_grows_while_it_is_read_has_no_end(tmp_path: Path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"texto")
    with open_steady(tmp_path, str(file), state_of(file)) as stream:
        assert stream.read(5) == b"texto"
        with file.open("ab") as more:
            more.write(b" e mais")
        assert stream.read(100) == b" e mais"
        with pytest.raises(StillChanging):
            stream.read(100)


def test_bytes_changed_behind_the_same_size_and_time_are_noticed(tmp_path: Path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"10 reais")
    before = file.stat()
    with open_steady(tmp_path, str(file), state_of(file)) as stream:
        stream.read(2)
        first = file.stat().st_ctime_ns
        while file.stat().st_ctime_ns == first:  # the file system's clock ticks every few milliseconds
            file.write_bytes(b"90 reais")
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        stream.read(100)
        with pytest.raises(StillChanging):
            stream.read(100)


def test_a_pipe_that_took_the_place_of_the_file_hangs_nobody(tmp_path: Path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"texto")
    before = state_of(file)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(StillChanging), open_steady(tmp_path, str(file), before):
        pytest.fail("opened")


@pytest.mark.parametrize("swapped", ["a", "a/b.txt"])
def test_a_link_that_took_the_place_of_a_file_or_a_folder_on_the_way_leads_nowhere(tmp_path: Path, swapped: str):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for root in (inside, outside):
        (root / "a").mkdir(parents=True)
        (root / "a" / "b.txt").write_bytes(b"texto")
    before = state_of(outside / "a" / "b.txt")
    (inside / swapped).rename(tmp_path / "away")
    (inside / swapped).symlink_to(outside / swapped)
    with (
        pytest.raises(OSError, match=r"symbolic link|Not a directory"),
        open_steady(inside, str(inside / "a" / "b.txt"), before),
    ):
        pytest.fail("opened")


def test_times_that_no_database_holds_are_cut():
    status = os.stat_result([0] * 10, {"st_mtime_ns": 10**20, "st_ctime_ns": -(10**20)})
    assert FileState.of(status) == (0, 2**63 - 1, 1 - 2**63)
