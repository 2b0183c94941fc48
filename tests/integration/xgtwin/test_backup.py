"""`xgtwin backup` and `xgtwin restore` with what the services really wrote, into and out of both kinds of databases."""

import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from shared.auth.keys import check_key
from shared.db.engine import open_engine
from shared.db.revisions import bring_to, known_revisions, revision_of
from shared.embeddings.model import Present
from shared.errors import Conflict, NotFound, Unavailable
from shared.observability.metrics import EMBEDDINGS_MADE
from shared.settings import Settings
from tests.acceptance.product import wait_until
from tests.integration.ingest.test_filling import Letters
from tests.integration.xgtwin.installation import STATES, TEXTS, Filled, fill, running, settings_of
from xgtwin.archive.backup import back_up
from xgtwin.archive.copying import copy_database
from xgtwin.archive.restore import restore
from xgtwin.archive.writing import drop_older, new_archive
from xgtwin.backup_command import backup

KINDS = ("sqlite", "postgresql")
MODEL = Present(Letters())
WITH_MODEL: dict[str, Any] = {"embedder": {"model": "letters", "fetch": False}}
SECRETS: dict[str, Any] = {"llm": {"api_key": "sk-of-the-model"}, "twin": {"token": "token-of-the-twin"}}

ROUNDS = 2

Database = Callable[[str], str]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    return fill(tmp_path_factory.mktemp("filled"), MODEL, **WITH_MODEL)


@pytest.fixture(scope="module")
def made(filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it, made while it stands still."""
    target = tmp_path_factory.mktemp("backups") / "whole.zip"
    back_up(settings_of(filled.folder, **WITH_MODEL, **SECRETS), target)
    return target


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """URLs of empty databases by their kind; empty for the SQLite file of the data folder."""
    with ExitStack() as stack:
        yield (
            lambda kind: (
                stack.enter_context(request.getfixturevalue("postgres").empty()) if kind == "postgresql" else ""
            )
        )


def _new(tmp_path: Path, url: str = "", **others: Any) -> Settings:
    (tmp_path / "new").mkdir(exist_ok=True)
    return settings_of(tmp_path / "new", url, **{**WITH_MODEL, **others})


@pytest.mark.parametrize(
    "parts", [("sqlite", "edge"), ("postgresql", "edge"), ("postgresql", "pgvector")], ids="+".join
)
def test_a_restored_installation_answers_as_before_and_embeds_nothing(
    filled: Filled, made: Path, parts: tuple[str, str], database: Database, tmp_path: Path
):
    settings = _new(tmp_path, database(parts[0]), store={"kind": parts[1]})
    manifest = restore(settings, made)
    assert manifest.tables["state_history"].rows == STATES
    embeddings = EMBEDDINGS_MADE._value.get()
    with running(settings, MODEL) as services:
        assert services.documents() == filled.documents
        assert services.messages(filled.conversation) == filled.messages
        answer = services.ask()
        assert (answer["grounded"], answer["citations"][0]["filename"]) == (True, "bancada.txt")
        for name, page in filled.documents.items():
            if name in TEXTS:
                assert services.ingest.get(f"/documents/{page['id']}/content").is_success
        assert check_key(services.engine, filled.key)
        assert services.store.speaks(MODEL.current() or pytest.fail("no model"))
        assert services.store.unembedded(10) == []
        jobs = services.ingest.get("/jobs", params={"state": "queued,running"}).json()["items"]
        assert not jobs
    assert EMBEDDINGS_MADE._value.get() == embeddings


def test_a_backup_of_postgresql_goes_back_into_sqlite(filled: Filled, made: Path, database: Database, tmp_path: Path):
    old = filled.copy(tmp_path)
    url = database("postgresql")
    copy_database(old, f"sqlite:///{old.data_dir / 'xgtwin.db'}", url)
    there = back_up(settings_of(tmp_path, url, **WITH_MODEL), tmp_path / "from-postgresql.zip").manifest
    with zipfile.ZipFile(made) as archive:
        assert set(archive.namelist()) == {*there.members, "manifest.json"}
    restored = restore(_new(tmp_path), tmp_path / "from-postgresql.zip")
    assert restored.tables == there.tables
    with running(_new(tmp_path), MODEL) as services:
        assert services.messages(filled.conversation) == filled.messages


def test_a_backup_holds_no_secret_and_only_its_owner_reads_it(filled: Filled, made: Path):
    with zipfile.ZipFile(made) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    secret = filled.key.rpartition("_")[2].encode()
    for plain in (secret, b"sk-of-the-model", b"token-of-the-twin"):
        assert plain not in everything
    assert b"unity-lab" in everything
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_services_that_write_meanwhile_spoil_nothing(filled: Filled, tmp_path: Path):
    """Documents come, change and go, and questions are asked, while backups are made; each one restores whole."""
    settings = filled.copy(tmp_path)
    ended = threading.Event()

    with running(settings) as services:

        def write() -> None:
            turn = 0
            while not ended.is_set():
                turn += 1
                page = services.add(f"aviso-{turn}.txt", f"O aviso número {turn} fala da bancada Ipê {turn}.")
                services.ask(f"O que diz o aviso número {turn}?")
                if turn % 2:
                    services.ingest.delete(f"/documents/{page['id']}").raise_for_status()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(ROUNDS):
                wait_until(lambda: len(services.documents()) > len(TEXTS) + 1, 30, "a document of the writer")
                manifest = back_up(settings, tmp_path / f"{number}.zip").manifest
                assert "in use by another xgtwin process" in manifest.without_vectors
                assert not manifest.lost_originals
        finally:
            ended.set()
            writer.join(60)
    for number in range(ROUNDS):
        again = settings_of(tmp_path / f"again-{number}")
        restore(again, tmp_path / f"{number}.zip")
        with running(again) as services:
            wait_until(
                lambda services=services: all(  # type: ignore[misc]  # bound in this round
                    page["status"] in {"ready", "quarantined", "failed"} for page in services.documents().values()
                ),
                60,
                "all documents to be read again",
            )
            assert services.ask()["grounded"]
            for name, page in services.documents().items():
                if page["status"] == "ready":
                    content = services.ingest.get(f"/documents/{page['id']}/content")
                    assert content.is_success, name


def test_vectors_that_are_not_in_it_are_made_anew(filled: Filled, tmp_path: Path):
    settings = filled.copy(tmp_path)
    with running(settings):
        made = back_up(settings, tmp_path / "running.zip")
    assert made.manifest.vectors is None
    assert not made.amiss
    restore(_new(tmp_path), tmp_path / "running.zip")
    with running(_new(tmp_path), MODEL) as services:
        wait_until(lambda: services.documents()["bancada.txt"]["status"] == "ready", 60, "it to be read again")
        assert services.ask()["grounded"]


def test_dense_vectors_of_another_model_are_left_to_the_ingest_service(made: Path, tmp_path: Path):
    settings = _new(tmp_path, embedder={"model": "others", "fetch": False})
    restore(settings, made)
    others = Letters("others", "aeiou")
    with running(settings, Present(others)) as services:
        assert services.ask()["grounded"]
        wait_until(lambda: services.store.speaks(others), 60, "the new vectors")
        assert services.store.unembedded(10) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    filled: Filled, kind: str, database: Database, tmp_path: Path
):
    settings = filled.copy(tmp_path)
    engine = open_engine(settings)
    with engine.begin() as connection:
        for table in ("state_history", "devices", "bridges"):
            connection.execute(text(f"DELETE FROM {table}"))
    bring_to(engine, "0010")
    engine.dispose()
    assert back_up(settings, tmp_path / "old.zip").manifest.revision == "0010"
    new = _new(tmp_path, database(kind))
    engine = open_engine(new)
    bring_to(engine, known_revisions()[-1])  # as a one-shot migration before the services leaves it
    engine.dispose()
    restore(new, tmp_path / "old.zip")
    assert revision_of(engine) == known_revisions()[-1]
    engine.dispose()
    with running(new) as services:
        assert services.messages(filled.conversation) == filled.messages


@pytest.mark.parametrize("kind", KINDS)
def test_an_installation_that_holds_something_is_left_alone(made: Path, kind: str, database: Database, tmp_path: Path):
    settings = _new(tmp_path, database(kind))
    restore(settings, made)
    with pytest.raises(Conflict, match=r"is not empty: it has .*DATABASE_URL or XGTWIN_DATA_DIR"):
        restore(settings, made)


def test_a_vector_store_that_holds_something_is_left_alone(filled: Filled, made: Path, tmp_path: Path):
    settings = filled.copy(tmp_path)
    (settings.data_dir / "xgtwin.db").unlink()
    with pytest.raises(Conflict, match="vector store holds documents already"):
        restore(settings, made)
    assert not list((tmp_path / "new").rglob("*"))


def test_a_running_installation_is_not_restored_onto(made: Path, tmp_path: Path):
    settings = _new(tmp_path)
    with running(settings), pytest.raises(Exception, match=r"in use by another xgtwin process|is in use"):
        restore(settings, made)


def test_a_restore_that_was_cut_short_can_be_run_again(
    filled: Filled, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    settings = _new(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full_disk)
        with pytest.raises(Unavailable, match="No space left"):
            restore(settings, made)
    restore(settings, made)
    with running(settings, MODEL) as services:
        assert services.messages(filled.conversation) == filled.messages


def _interrupted(target: Path) -> None:
    with new_archive(target) as archive:
        archive.add("originals/" + 64 * "a", [b"half"])
        assert [path.name for path in target.parent.iterdir()] == ["xgtwin-backup-1.zip.partial"]
        raise KeyboardInterrupt


def test_only_a_whole_backup_bears_its_name(tmp_path: Path):
    target = tmp_path / "xgtwin-backup-1.zip"
    with pytest.raises(KeyboardInterrupt):
        _interrupted(target)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_backup_left_is_cleared_by_the_next_one(filled: Filled, tmp_path: Path):
    left = tmp_path / "xgtwin-backup-20200101T000000Z.zip.partial"
    left.write_bytes(b"half")
    with new_archive(tmp_path / "xgtwin-backup-2.zip"), new_archive(tmp_path / "xgtwin-backup-3.zip"):
        assert not left.exists()
        assert len(list(tmp_path.glob("*.partial"))) == 2


def test_backups_are_kept_as_many_as_was_said(filled: Filled, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, 6):
        (folder / f"xgtwin-backup-2020010{day}T000000Z.zip").touch()
    (folder / "mine.zip").touch()
    backup(settings_of(filled.folder), folder, keep=2)
    left = sorted(path.name for path in folder.iterdir())
    assert len(left) == 3
    assert left[:2] == ["mine.zip", "xgtwin-backup-20200105T000000Z.zip"]
    assert "is deleted (--keep 2)" in capsys.readouterr().out
    assert drop_older(folder / left[2], 2) == []


def test_a_backup_does_not_replace_another(filled: Filled, made: Path):
    before = made.read_bytes()
    with pytest.raises(Conflict, match="is there already"):
        back_up(settings_of(filled.folder), made)
    assert made.read_bytes() == before


def test_where_nothing_is_nothing_is_backed_up(tmp_path: Path):
    with pytest.raises(NotFound, match="no SQLite file"):
        back_up(settings_of(tmp_path), tmp_path / "backup.zip")
    assert not list(tmp_path.rglob("*.zip*"))
