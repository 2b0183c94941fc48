"""Bringing a model from the hub into its folder: beside it first, tried, then renamed. Never half a model.

`python -m shared.embeddings.fetching MODEL FOLDER` does so for an image that is to have it inside.
"""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from shared.embeddings.late import NotYet, Say
from shared.embeddings.local import has_files, load
from shared.embeddings.model import ModelState
from shared.errors import Unavailable
from shared.observability.logs import get_logger
from shared.vector_store.shard_folder import hold

log = get_logger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 3600.0
"""Between two attempts at a hub that does not answer: doubled each time."""
TOLD_EVERY = 5
"""Per cent between two lines in the log."""


class Fetch:
    """Callable as `LocalModel` wants it: brings the folder, or raises `NotYet` with the reason and what follows."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self._pause = FIRST_PAUSE_S
        self._not_before = 0.0
        self._why = ""

    def __call__(self, say: Say) -> None:
        if time.monotonic() < self._not_before:
            raise NotYet(ModelState.WAITING, self._why)
        try:
            pull(self.name, self.folder, _progress(self.name, say))
        except Unavailable as error:
            self._why = f"{error.detail} Tried again in {self._pause:g} s; until then retrieval is lexical."
            self._not_before = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE_S)
            raise NotYet(ModelState.WAITING, self._why) from error


def pull(name: str, folder: Path, tell: Callable[[int, int], None]) -> None:
    """Fetch the model into `folder`, which is not there yet or empty. `tell` hears bytes: present, in all.

    Raises `Unavailable`. What was fetched until then is continued by the next call.
    """
    from shared.embeddings.fastembed_embedder import source_of  # 0.7 s, and the hub's library with it
    from shared.embeddings.hub import HubTrouble, fetch

    unfinished = folder.with_name(f".{folder.name}.fetching")
    try:
        lock = hold(unfinished)
    except OSError as error:
        raise Unavailable("The data folder (XGTWIN_DATA_DIR) cannot be written.") from error
    if lock is None:
        raise Unavailable("Another xgtwin process fetches it just now.")
    with lock:
        try:
            fetch(source_of(name), unfinished, tell)
            load(name, unfinished)
        except HubTrouble as trouble:
            raise Unavailable(str(trouble)) from trouble
        except Unavailable as broken:
            shutil.rmtree(unfinished)
            raise Unavailable(f"What the model hub sent is not a whole model {name}.") from broken
        try:
            unfinished.rename(folder)
        except OSError as error:
            if not has_files(folder):
                raise Unavailable(f"The model's place ({folder.name}) cannot be written: {error.strerror}.") from error
            shutil.rmtree(unfinished)  # somebody copied one there by hand meanwhile: that is theirs
            log.info("embedding_model_copied_meanwhile", model=name)
            return
    log.info("embedding_model_fetched", model=name)


def _progress(name: str, say: Say) -> Callable[[int, int], None]:
    told = -TOLD_EVERY

    def tell(present: int, total: int) -> None:
        nonlocal told
        percent = 100 * present // max(total, 1)
        say(ModelState.FETCHING, f"fetching {name}: {percent} % of {total >> 20} MiB")
        if percent >= told + TOLD_EVERY:
            told = percent
            log.info("embedding_model_fetching", model=name, percent=percent, mib=total >> 20)

    return tell


def _main(name: str, models: Path) -> int:
    try:
        pull(name, models / name, _progress(name, lambda *_: None))
    except Unavailable as error:
        sys.stderr.write(f"{error.detail} Without EMBEDDING_MODEL the services fetch it when they first start.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], Path(sys.argv[2])))
