"""A scan of a folder of which a part cannot be read (root may read everything, so the refusal is played)."""

import os
from pathlib import Path

import pytest

from ingest_service.watched_folder.scan import read_folder


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `aberto/a.txt` and `fechado/b.txt`, whose sub-folder `fechado` refuses to be listed."""
    for name in ("aberto/a.txt", "fechado/b.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("texto")
    really = os.scandir

    def scandir(folder: Path):
        if Path(folder).name == "fechado":
            raise PermissionError(13, "Permission denied")
        return really(folder)

    monkeypatch.setattr("ingest_service.watched_folder.scan.os.scandir", scandir)
    return tmp_path


def test_an_unreadable_sub_folder_keeps_its_documents_and_nobody_elses(closed: Path):
    folder = read_folder(closed, [])
    assert set(folder.files) == {"aberto/a.txt"}
    assert folder.misses("aberto/removido.txt")
    assert not folder.misses("aberto/a.txt")
    assert not folder.misses("fechado/b.txt")
    assert folder.misses("fechado-outro/c.txt")


def test_an_operator_is_told_which_part_cannot_be_read(closed: Path):
    assert "fechado" in read_folder(closed, []).note
    assert read_folder(closed / "aberto", []).note == ""


def test_a_folder_that_cannot_be_read_at_all_misses_nothing(closed: Path):
    folder = read_folder(closed / "fechado", [])
    assert set(folder.unreadable) == {"."}
    assert not folder.misses("b.txt")
