"""Backups that lack something: they say so, push out none that is whole, and restore all the same."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.embeddings.model import Present
from shared.errors import Unavailable
from shared.settings import Settings
from tests.acceptance.product import wait_until
from tests.integration.ingest.test_filling import Letters
from tests.integration.xgtwin.installation import TEXTS, Filled, fill, running, settings_of
from tests.postgres import Databases
from xgtwin.archive import backup as story
from xgtwin.archive.backup import back_up
from xgtwin.archive.manifest import VECTORS
from xgtwin.archive.restore import restore
from xgtwin.archive.vectors import Published
from xgtwin.archive.writing import drop_older
from xgtwin.backup_command import backup

NOBODY_THERE: dict[str, Any] = {"store": {"kind": "qdrant", "qdrant_url": "http://127.0.0.1:9"}}
WHOLE, LACKING = "xgtwin-backup-202001{:02}T000000Z.zip", "xgtwin-backup-202001{:02}T000000Z-without-vectors.zip"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    return fill(tmp_path_factory.mktemp("filled"))


def _with(folder: Path, model: Letters, database: str = "", **others: Any) -> Settings:
    folder.mkdir(exist_ok=True)
    return settings_of(folder, database, embedder={"model": model.name, "fetch": False}, **others)


@pytest.mark.parametrize("letters", ["aeiou", "zyxwvutsrqponmlkjihgfedcba"], ids=["shorter", "as long"])
def test_another_model_whose_vectors_come_during_a_backup_leaves_it_restorable(
    letters: str, tmp_path: Path, postgres: Databases, monkeypatch: pytest.MonkeyPatch
):
    first, second = Letters("first"), Letters("second", letters)
    asked_for = story._published

    with postgres.empty() as url:
        old = _with(tmp_path / "old", first, url, store={"kind": "pgvector"})
        with running(old, Present(first)) as services:
            for name, text in TEXTS.items():
                services.add(name, text)
            assert services.store.unembedded(10) == []
        second.gate.clear()
        now = _with(tmp_path / "old", second, url, store={"kind": "pgvector"})
        with running(now, Present(second)) as services:

            def swapped_after_the_first(published: list[Published]) -> Iterator[Published]:
                one, *others = published
                yield one
                second.gate.set()
                wait_until(lambda: services.store.speaks(second), 60, "the vectors of the second model")
                wait_until(lambda: len(services.store._generations.numbers()) == 1, 60, "the first ones to be dropped")
                yield from others

            monkeypatch.setattr(story, "_published", lambda *asked: swapped_after_the_first(asked_for(*asked)))
            manifest = back_up(now, tmp_path / "meanwhile.zip").manifest

    assert manifest.vectors is not None
    assert (manifest.vectors.made_with.model, manifest.vectors.documents) == ("first", len(TEXTS))
    assert "another generation" in manifest.without_vectors
    with zipfile.ZipFile(tmp_path / "meanwhile.zip") as archive:
        lines = [json.loads(line) for line in archive.read(VECTORS).splitlines()]
    assert [line["dense"] is not None for line in lines] == [True, False, False]

    for model in (first, second):
        new = _with(tmp_path / model.name, model)
        restore(new, tmp_path / "meanwhile.zip")
        with running(new, Present(model)) as services:
            assert services.ask()["grounded"]
            wait_until(lambda services=services, model=model: services.store.speaks(model), 60, "its vectors")  # type: ignore[misc]
            wait_until(lambda services=services: not services.store.unembedded(10), 60, "all vectors")  # type: ignore[misc]
            assert services.ask()["grounded"]


def test_a_backup_without_the_vectors_of_a_server_fails_and_says_so_in_its_name(
    filled: Filled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / WHOLE.format(1)).touch()
    with pytest.raises(Unavailable, match=r"without-vectors\.zip is not whole\. The vectors are not in it") as failed:
        backup(settings_of(filled.folder, **NOBODY_THERE), folder, keep=1)
    whole, lacking = sorted(folder.iterdir())
    assert whole.name == WHOLE.format(1), "it was not pushed out"
    assert str(lacking) in failed.value.detail
    assert "made anew after a restore" in capsys.readouterr().out
    restore(settings_of(tmp_path / "new"), lacking)
    with running(settings_of(tmp_path / "new")) as services:
        wait_until(lambda: services.documents()["bancada.txt"]["status"] == "ready", 60, "it to be read again")
        assert services.messages(filled.conversation) == filled.messages


def test_a_backup_without_originals_fails_and_says_so_in_its_name(filled: Filled, tmp_path: Path):
    settings = filled.copy(tmp_path)
    shutil.rmtree(settings.data_dir / "originals")
    with pytest.raises(Unavailable, match=r"without-some-originals\.zip is not whole\..*XGTWIN_DATA_DIR"):
        backup(settings, tmp_path / "backups", keep=None)


def test_a_vector_store_that_lost_its_documents_fails_the_backup(
    filled: Filled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    settings = filled.copy(tmp_path)
    shutil.rmtree(settings.data_dir / "vectors")
    with pytest.raises(Unavailable, match=r"without-some-vectors\.zip is not whole\..* none of 3 searchable documents"):
        backup(settings, tmp_path / "backups", keep=None)
    assert "0 chunks (words alone), not all" in capsys.readouterr().out
    (lacking,) = (tmp_path / "backups").iterdir()
    again = settings_of(tmp_path / "again")
    restore(again, lacking)
    with running(again) as services:
        wait_until(lambda: services.ask()["grounded"], 60, "the documents to be read again")


def test_a_name_that_somebody_chose_stays(filled: Filled, tmp_path: Path):
    made = back_up(settings_of(filled.folder, **NOBODY_THERE), tmp_path / "mine.zip")
    assert (made.path, made.amiss, made.lacks) == (tmp_path / "mine.zip", True, ("vectors",))
    assert made.path.is_file()


def test_where_nothing_is_searchable_nothing_is_lacking(tmp_path: Path):
    with running(settings_of(tmp_path)):
        made = back_up(settings_of(tmp_path), tmp_path / "empty.zip")
    assert (made.amiss, made.lacks) == (False, ())


def test_backups_that_lack_something_push_out_none_that_is_whole(tmp_path: Path):
    for day in (1, 2, 3):
        (tmp_path / WHOLE.format(day)).touch()
    for day in (4, 5, 6):
        (tmp_path / LACKING.format(day)).touch()
    drop_older(tmp_path / LACKING.format(6), 2)
    kept = [WHOLE.format(2), WHOLE.format(3), LACKING.format(5), LACKING.format(6)]
    assert sorted(path.name for path in tmp_path.iterdir()) == kept
    (tmp_path / WHOLE.format(7)).touch()
    drop_older(tmp_path / WHOLE.format(7), 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [WHOLE.format(3), LACKING.format(6), WHOLE.format(7)]
