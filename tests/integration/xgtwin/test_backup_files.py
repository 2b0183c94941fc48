"""The files of a folder of backups: which of them `--keep` may delete, and what a killed backup left."""

from pathlib import Path

import pytest

from shared.errors import Conflict
from tests.integration.xgtwin.installation import running, settings_of
from xgtwin.archive.writing import new_archive
from xgtwin.backup_command import backup


@pytest.mark.parametrize(
    "other",
    ["xgtwin-backup-before-upgrade.zip", "xgtwin-backup-20990101T000000Z-mine.zip", "xgtwin-backup-2099.zip", "x.zip"],
)
def test_backups_with_names_of_their_own_are_not_counted_and_not_deleted(other: str, tmp_path: Path):
    settings, folder = settings_of(tmp_path), tmp_path / "backups"
    with running(settings):
        folder.mkdir()
        (folder / other).touch()
        (folder / "xgtwin-backup-20200101T000000Z.zip").touch()
        backup(settings, folder, keep=1)
    new = {path.name for path in folder.iterdir()} - {other}
    assert len(new) == 1
    assert "xgtwin-backup-20200101T000000Z.zip" not in new
    assert (folder / other).exists()


def test_the_backup_just_made_is_kept_whatever_the_clock_said_before(tmp_path: Path):
    settings, folder = settings_of(tmp_path), tmp_path / "backups"
    with running(settings):
        folder.mkdir()
        (folder / "xgtwin-backup-20990101T000000Z.zip").touch()
        backup(settings, folder, keep=1)
    (left,) = folder.iterdir()
    assert left.name < "xgtwin-backup-2099"


def test_what_a_killed_backup_to_the_same_file_left_is_cleared(tmp_path: Path):
    (tmp_path / "mine.zip.partial").write_bytes(b"half")
    (tmp_path / "other.zip.partial").write_bytes(b"not ours")
    with new_archive(tmp_path / "mine.zip"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.zip", "other.zip.partial"]


def test_a_backup_to_a_file_that_another_writes_is_refused_by_its_name(tmp_path: Path):
    with (
        new_archive(tmp_path / "mine.zip"),
        pytest.raises(Conflict, match=r"being written to .*mine\.zip\.partial"),
        new_archive(tmp_path / "mine.zip"),
    ):
        pass
    assert (tmp_path / "mine.zip").exists()
