"""Generations in the data folder: `vectors/<collection>/<number>/` is a shard each, `current` names one of them."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from shared.errors import Conflict
from shared.observability.logs import get_logger
from shared.vector_store.edge import EdgeVectorStore
from shared.vector_store.edge_shard import held
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.generation import Generation, NoRoom, became_current, fingerprint_of, says_what_it_is
from shared.vector_store.shard_folder import FINGERPRINT_FILE, read_json
from shared.vector_store.stored_chunk import Stems

log = get_logger(__name__)

POINTER = "current"
SPARE_BYTES = 200 << 20
"""Left free on the disk: the engine maps its files, and a process that writes to such a page on a full disk dies."""
_OURS = re.compile(r"\d+(\.(lock|unfinished|damaged))?|current(\.new)?")
_HIDDEN = "."
"""File managers leave files with such names wherever they look."""


class EdgeGenerations:
    """The `Generations` of one folder, which this object alone may touch until `close`.

    A folder of releases that had one shard and no generations becomes the first generation. Raises `Unavailable` if
    another process has it, `Conflict` if it holds something else.
    """

    shared: ClassVar[bool] = False

    def __init__(self, folder: Path, stems: Stems) -> None:
        self._folder = folder
        self._stems = stems
        self._hold = held(folder)
        try:
            self._adopt_a_single_shard()
            if folder.is_dir() and not all(
                _OURS.fullmatch(path.name) or path.name.startswith(_HIDDEN) for path in folder.iterdir()
            ):
                raise Conflict(
                    "The folder of the vectors holds something that is not ours. "
                    "Choose another name (STORE__COLLECTION), or move what is there away."
                )
            folder.mkdir(parents=True, exist_ok=True)
        except BaseException:
            self._hold.close()
            raise

    def current(self) -> int | None:
        try:
            return int((self._folder / POINTER).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def numbers(self) -> Sequence[int]:
        if not self._folder.is_dir():
            return []
        return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdigit() and path.is_dir())

    def unused(self) -> int:
        taken = [int(found[0]) for path in self._folder.glob("*") if (found := re.match(r"\d+", path.name))]
        return max([0, *taken]) + 1

    def require_room(self, beside: int | None = None) -> None:
        files = [] if beside is None else [path for path in self._shard(beside).rglob("*") if path.is_file()]
        needed = sum(path.stat().st_size for path in files) + SPARE_BYTES
        if shutil.disk_usage(self._folder).free < needed:
            raise NoRoom(f"The disk of the data folder (XGTWIN_DATA_DIR) has less than {needed >> 20} MiB left.")

    def open(self, number: int) -> Generation:
        fingerprint = fingerprint_of(read_json(self._shard(number) / FINGERPRINT_FILE))
        return Generation(number, fingerprint, EdgeVectorStore(self._shard(number), fingerprint, self._stems))

    def create(self, number: int, fingerprint: Fingerprint) -> Generation:
        return Generation(number, fingerprint, EdgeVectorStore(self._shard(number), fingerprint, self._stems))

    def make_current(self, number: int) -> None:
        written = self._folder / f"{POINTER}.new"
        with written.open("w", encoding="utf-8") as file:
            file.write(str(number))
            file.flush()
            os.fsync(file.fileno())
        written.replace(self._folder / POINTER)

    def set_aside(self, number: int) -> None:
        if self._shard(number).exists():
            for earlier in self._folder.glob("*.damaged"):
                shutil.rmtree(earlier)
            self._shard(number).rename(self._folder / f"{number}.damaged")

    def drop(self, number: int) -> None:
        if number == self.current():
            raise became_current()
        shutil.rmtree(self._shard(number), ignore_errors=True)
        self._shard(number).with_name(f"{number}.lock").unlink(missing_ok=True)

    def close(self) -> None:
        self._hold.close()

    def _shard(self, number: int) -> Path:
        return self._folder / str(number)

    def _adopt_a_single_shard(self) -> None:
        """Two renames; a kill between them leaves the shard where the next start looks for it."""
        aside = self._folder.with_name(f"{self._folder.name}.adopted")
        stored = read_json(self._folder / FINGERPRINT_FILE)
        broken = stored is None and all((self._folder / name).exists() for name in (FINGERPRINT_FILE, "segments"))
        if broken or says_what_it_is(stored):
            self._folder.rename(aside)
        if aside.is_dir():
            self._folder.mkdir(exist_ok=True)
            aside.rename(self._shard(1))
            log.info("vectors_adopted")
