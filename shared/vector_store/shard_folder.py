"""The folder of an embedded shard: made whole or not at all, and it says what its vectors were made with."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.vector_store.fingerprint import Fingerprint, require_match

FINGERPRINT_FILE = "fingerprint.json"


def prepare(folder: Path, fingerprint: Fingerprint, create: Callable[[Path], None]) -> None:
    """Make the folder if it is absent or empty; raise `Conflict` if it holds vectors of another fingerprint.

    A new shard is made beside its place and renamed into it last, so a kill leaves nothing half made.
    """
    if folder.is_dir() and any(folder.iterdir()):
        require_match(_read(folder / FINGERPRINT_FILE), fingerprint)
        return
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a start that was killed; nothing was ever stored in it
    unfinished.mkdir(parents=True)
    create(unfinished)
    (unfinished / FINGERPRINT_FILE).write_text(fingerprint.model_dump_json(), encoding="utf-8")
    unfinished.rename(folder)


def _read(path: Path) -> Any:
    """The stored fingerprint; None when there is no readable one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
