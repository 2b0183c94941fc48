"""The lock of the original bytes: among threads, among processes, and never longer than its holder lives."""

import multiprocessing
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from ingest_service.documents.blobs import Blobs
from ingest_service.documents.folder_lock import FolderLock

SPAWN = multiprocessing.get_context("spawn")
PATIENCE_S = 60.0


def hold_until_told(path: Path, pipe: Connection) -> None:
    with FolderLock(path):
        pipe.send("held")
        pipe.recv()
        pipe.send("let go")


def receive_half(folder: Path, pipe: Connection) -> None:
    class Half:
        def read(self, _: int) -> bytes:
            pipe.send("half received")
            pipe.recv()
            return b""

    with Blobs(folder, max_mb=1).stage(Half(), "a.txt") as staged:  # type: ignore[arg-type]
        pipe.send(staged.path.exists())


def in_thread(lock: FolderLock) -> threading.Event:
    taken = threading.Event()

    def take() -> None:
        with lock:
            taken.set()

    threading.Thread(target=take, daemon=True).start()
    return taken


def test_a_thread_takes_it_as_often_as_it_likes_and_another_one_waits_for_all_of_that(tmp_path: Path):
    lock = FolderLock(tmp_path / "a.lock")
    with lock:
        with lock:
            pass
        other = in_thread(lock)
        assert not other.wait(0.2)
    assert other.wait(PATIENCE_S)


def test_another_process_is_waited_for(tmp_path: Path):
    lock = FolderLock(tmp_path / "a.lock")
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=hold_until_told, args=(tmp_path / "a.lock", there))
    process.start()
    assert here.recv() == "held"
    mine = in_thread(lock)
    assert not mine.wait(0.2)
    here.send("go")
    assert mine.wait(PATIENCE_S)
    assert here.recv() == "let go"
    process.join(PATIENCE_S)


def test_a_killed_holder_holds_nothing(tmp_path: Path):
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=hold_until_told, args=(tmp_path / "a.lock", there))
    process.start()
    assert here.recv() == "held"
    process.kill()
    assert in_thread(FolderLock(tmp_path / "a.lock")).wait(PATIENCE_S)


def test_a_start_drops_what_a_dead_process_left_half_received_and_not_what_a_living_one_receives(tmp_path: Path):
    blobs = Blobs(tmp_path / "originals", max_mb=1)
    blobs.prepare()
    (tmp_path / "originals" / "incoming" / "left").write_bytes(b"half")
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=receive_half, args=(tmp_path / "originals", there))
    process.start()
    assert here.recv() == "half received"
    blobs.prepare()
    (living,) = (tmp_path / "originals" / "incoming").iterdir()
    assert living.name != "left"
    here.send("the rest")
    assert here.recv() is True
    process.join(PATIENCE_S)
