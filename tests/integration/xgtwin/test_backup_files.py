"""The files of a folder of backups: which of them `--keep` may delete."""

from pathlib import Path

import pytest

from tests.integration.xgtwin.installation import running, settings_of
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
