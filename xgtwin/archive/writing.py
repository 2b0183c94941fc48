"""A backup as a file: written piece by piece under another name, and there under its own only when it is whole."""

import fcntl
import hashlib
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from shared.db.rows import utc_now
from shared.errors import Conflict, Unavailable
from xgtwin.archive.manifest import MANIFEST, Manifest, Member

NAME, SUFFIX, UNFINISHED, WITHOUT = "xgtwin-backup-", ".zip", ".partial", "-without-"
USUAL = re.compile(rf"{NAME}\d{{8}}T\d{{6}}Z({WITHOUT}[a-z-]+)?{re.escape(SUFFIX)}")
OWNER_ONLY = 0o600
"""It holds conversations and the hashes of keys."""


class ArchiveWriter:
    """Members in the order in which they come; memory holds one piece, and what the manifest says of each.

    `target` is the name that it gets in the end: one of ours then says what the backup lacks.
    """

    def __init__(self, file: IO[bytes], target: Path) -> None:
        self.members: dict[str, Member] = {}
        self.target = target
        self._zip = zipfile.ZipFile(file, "w", allowZip64=True)
        self._time = utc_now().timetuple()[:6]

    def add(self, name: str, pieces: Iterable[bytes], *, compress: bool = True) -> None:
        info = zipfile.ZipInfo(name, self._time)
        info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        info.external_attr = OWNER_ONLY << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                digest.update(piece)
                size += len(piece)
        self.members[name] = Member(size=size, sha256=digest.hexdigest())

    def finish(self, manifest: Manifest, lacks: Sequence[str] = ()) -> None:
        if lacks and self.target.name.startswith(NAME):
            self.target = self.target.with_stem(self.target.stem + WITHOUT + "-and-".join(lacks))
        self.add(MANIFEST, [manifest.model_dump_json(indent=1).encode()])
        self.close()

    def close(self) -> None:
        """Let go of it; without `finish` it is no archive."""
        self._zip.close()


@contextmanager
def new_archive(target: Path) -> Iterator[ArchiveWriter]:
    """An archive that gets its name when the context ends well; otherwise nothing is left.

    Raises `Conflict` if there is such a file or one in the making, `Unavailable` if the folder cannot be written or is
    full.
    """
    if target.exists():
        raise Conflict(f"{target} is there already: name another file with --to, or move it away.")
    unfinished = target.with_name(target.name + UNFINISHED)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _drop_leftovers({unfinished, *target.parent.glob(f"{NAME}*{SUFFIX}{UNFINISHED}")})
        if unfinished.exists():
            raise Conflict(f"Another backup is being written to {unfinished}: wait for it, or name another file.")
        descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, OWNER_ONLY)
        with os.fdopen(descriptor, "w+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            archive = ArchiveWriter(file, target)
            try:
                yield archive
                file.flush()
                os.fsync(file.fileno())
                unfinished.rename(archive.target)
                _keep_the_name(target.parent)
            finally:
                unfinished.unlink(missing_ok=True)
                archive.close()
    except OSError as error:
        raise Unavailable(f"The backup {target} could not be made: {error.strerror or error}.") from error


def usual_name() -> str:
    """The name of a backup made now; names sort as their times do."""
    return f"{NAME}{utc_now():%Y%m%dT%H%M%SZ}{SUFFIX}"


def drop_older(made: Path, keep: int) -> list[Path]:
    """Delete each backup beside `made` with a usual name of which `keep` newer ones hold as much: one that lacks
    something pushes out none that is whole. `made` is the newest, whatever the clock said before. What was deleted."""
    kept: list[Path] = []
    older: list[Path] = []
    found = {path for path in made.parent.iterdir() if USUAL.fullmatch(path.name)}
    for path in [made, *sorted(found - {made}, reverse=True)]:
        as_much = kept if WITHOUT in path.name else [one for one in kept if WITHOUT not in one.name]
        (kept if len(as_much) < keep else older).append(path)
    for path in older:
        path.unlink()
    return older


def _drop_leftovers(paths: Iterable[Path]) -> None:
    """What killed backups left, told from those under way by the lock that dies with its process."""
    for path in filter(Path.is_file, paths):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            path.unlink()


def _keep_the_name(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the rename itself must survive a power cut
    finally:
        os.close(descriptor)
