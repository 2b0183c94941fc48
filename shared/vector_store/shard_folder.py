"""The folder of an embedded shard: held by one opener, made whole or not at all, and it says what its vectors were
made with."""

import fcntl
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from shared.vector_store.fingerprint import Fingerprint, require_match

FINGERPRINT_FILE = "fingerprint.json"


def hold(folder: Path) -> IO[bytes] | None:
    """Take the folder for this opener until the returned file is closed or the process ends; None if it is taken.

    The engine's own lock comes too late: it opens and cuts files before it finds the folder taken, and the process that
    has them can then store nothing more. So nobody may touch the folder without holding this.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    file = folder.with_name(f"{folder.name}.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def prepare(folder: Path, fingerprint: Fingerprint, create: Callable[[Path], None]) -> None:
    """Make the folder if it is absent or empty; raise `Conflict` if it holds vectors of another fingerprint.

    A new shard is made beside its place and renamed into it last, so a kill leaves nothing half made.
    """
    if folder.is_dir() and any(folder.iterdir()):
        require_match(read_json(folder / FINGERPRINT_FILE), fingerprint)
        return
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a start that was killed; nothing was ever stored in it
    unfinished.mkdir(parents=True)
    create(unfinished)
    (unfinished / FINGERPRINT_FILE).write_text(fingerprint.model_dump_json(), encoding="utf-8")
    unfinished.rename(folder)


def read_json(path: Path) -> Any:
    """The stored fingerprint; None when there is no readable one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
