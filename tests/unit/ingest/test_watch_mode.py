"""How the folder is watched, told from the mounts."""

from pathlib import Path

import pytest

from ingest_service.watched_folder import watch_mode
from ingest_service.watched_folder.watch_mode import chosen_mode


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ("/dev/sda / ext4 rw 0 0\n", "inotify"),
        ("/dev/sda / ext4 rw 0 0\nserver:/x /srv nfs4 rw 0 0\n", "polling"),
        ("overlay / overlay rw 0 0\n/run/host /srv/docs fakeowner rw 0 0\n", "polling"),
        ("/dev/sda / ext4 rw 0 0\nC: /srv 9p rw 0 0\n", "polling"),
        ("/dev/sda / ext4 rw 0 0\nsshfs /srv/docs/remote fuse.sshfs rw 0 0\n", "polling"),
        ("/dev/sda / ext4 rw 0 0\n/dev/sdb /srv/docs fuseblk rw 0 0\n", "inotify"),
        ("server:/x /srv nfs4 rw 0 0\n/dev/sda /srv ext4 rw 0 0\n", "inotify"),
        ("/dev/sda / ext4 rw 0 0\nserver:/x /srv/docs-2 nfs4 rw 0 0\n", "inotify"),
    ],
)
def test_a_folder_where_others_write_unseen_is_polled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mounts: str, expected: str
):
    (tmp_path / "mounts").write_text(mounts)
    monkeypatch.setattr(watch_mode, "_MOUNTS", tmp_path / "mounts")
    mode = chosen_mode("auto", Path("/srv/docs"))
    assert mode.name == expected
    assert mode.why


def test_what_is_configured_is_done_and_said():
    mode = chosen_mode("polling", Path("/"))
    assert (mode.name, mode.why) == ("polling", "INGEST__WATCH=polling")
