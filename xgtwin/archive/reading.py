"""A backup that is read: nothing in it is believed before it was checked, and checking writes nothing."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.errors import NotFound, Unprocessable
from xgtwin.archive.manifest import FORMAT, MANIFEST, MEMBER, Manifest, Member, original

PIECE_BYTES = 1 << 20
MAX_MANIFEST_BYTES = 256 << 20
"""Two million documents."""
MAX_LINE_BYTES = 64 << 20
MAX_RATIO = 200
"""Rows unpack to some 10 to 20 times; deflate can be made to give 1000."""
_ENCRYPTED = 1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class ArchiveReader:
    """An open backup whose directory is in order: the names are ours, once each, and none shares bytes with another.

    Raises `Unprocessable` wherever it is not what it says.
    """

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._zip = file
        infos = file.infolist()
        _require_order(infos)
        self._infos = {info.filename: info for info in infos}
        self.manifest = self._read_manifest()
        present = self._infos.keys() - {MANIFEST}
        if present != self.manifest.members.keys():
            raise Unprocessable("The backup does not hold what its manifest says.")

    def verify(self) -> None:
        """Read everything and compare it with its checksum."""
        for name, member in self.manifest.members.items():
            if self._infos[name].file_size != member.size or self._sum(name) != member:
                raise Unprocessable(f"{name} is not what was put into the backup: its checksum differs.")
            if name.startswith("originals/") and name != original(member.sha256):
                raise Unprocessable(f"{name} holds other bytes than its name says.")

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member, piece by piece."""
        with _whole(), self._zip.open(self._infos[name]) as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    def lines(self, name: str) -> Iterator[bytes]:
        """A member of lines, without their ends."""
        with _whole(), self._zip.open(self._infos[name]) as file:
            while line := file.readline(MAX_LINE_BYTES):
                if not line.endswith(b"\n"):
                    raise Unprocessable(f"{name} has a line that is cut off or longer than {MAX_LINE_BYTES >> 20} MiB.")
                yield line[:-1]

    def _sum(self, name: str) -> Member:
        digest, size = hashlib.sha256(), 0
        for piece in self.pieces(name):
            digest.update(piece)
            size += len(piece)
        return Member(size=size, sha256=digest.hexdigest())

    def _read_manifest(self) -> Manifest:
        if MANIFEST not in self._infos:
            raise Unprocessable("This is no backup of xgtwin: it has no manifest.")
        if self._infos[MANIFEST].file_size > MAX_MANIFEST_BYTES:
            raise Unprocessable("The manifest of the backup is too large to be one.")
        try:
            said: Any = json.loads(b"".join(self.pieces(MANIFEST)))
            if isinstance(said, dict) and isinstance(said.get("format"), int) and said["format"] > FORMAT:
                raise Unprocessable("A newer release of xgtwin made this backup: restore it with that one.")
            return Manifest.model_validate(said)
        except (ValueError, RecursionError, ValidationError) as error:
            raise Unprocessable("The manifest of the backup cannot be read.") from error


@contextmanager
def opened_archive(path: Path) -> Iterator[ArchiveReader]:
    """Raises `NotFound`, and `Unprocessable` for a file that is no whole backup."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        with _whole():
            archive = zipfile.ZipFile(file)
        with archive:
            yield ArchiveReader(archive)


def _require_order(infos: list[zipfile.ZipInfo]) -> None:
    if len({info.filename for info in infos}) != len(infos):
        raise Unprocessable("The backup has a name twice.")
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if not MEMBER.fullmatch(info.filename):
            raise Unprocessable(f"The backup has a name that none of ours has: {info.filename[:80]!r}.")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            raise Unprocessable(f"{info.filename} is packed in a way that ours are not.")
        if info.header_offset < end:
            raise Unprocessable(f"{info.filename} lies upon another part of the backup.")
        end = info.header_offset + info.compress_size
        if info.file_size > MAX_RATIO * info.compress_size + PIECE_BYTES:
            raise Unprocessable(f"{info.filename} unpacks to more than {MAX_RATIO} times its size: that is no backup.")


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Unprocessable("The backup is cut off or damaged. Take another one.") from error
