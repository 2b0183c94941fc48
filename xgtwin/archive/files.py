"""The files of a data folder that a backup holds: originals, and what was recognised in scanned pages."""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from xgtwin.archive.manifest import MEMBER, original
from xgtwin.archive.writing import ArchiveWriter

PIECE_BYTES = 1 << 20
ORIGINALS, RECOGNISED = "originals", "recognised"


def add_originals(archive: ArchiveWriter, data_dir: Path, content_hashes: Iterable[str]) -> int:
    """Put the bytes of documents into the archive, with what was recognised in them; how many were not there."""
    lost = 0
    for content_hash in content_hashes:
        try:
            file = _place(data_dir, original(content_hash)).open("rb")
        except FileNotFoundError:
            lost += 1
            continue
        with file:
            archive.add(original(content_hash), _pieces(file), compress=False)
        for path in sorted((data_dir / RECOGNISED / content_hash).glob("*")):
            name = f"{RECOGNISED}/{content_hash}/{path.name}"
            if MEMBER.fullmatch(name):
                # What goes meanwhile is made again.
                with contextlib.suppress(FileNotFoundError), path.open("rb") as recognised:
                    archive.add(name, _pieces(recognised))
    return lost


def put_back(data_dir: Path, name: str, pieces: Iterable[bytes]) -> None:
    """Write a member to its place in the data folder; there it is whole or not at all."""
    place = _place(data_dir, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{place.name}.restoring")
    with unfinished.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(place)


def is_file_of_the_data_folder(name: str) -> bool:
    return bool(re.match(f"({ORIGINALS}|{RECOGNISED})/", name))


def _place(data_dir: Path, name: str) -> Path:
    """Where a member belongs; the parts of its name are known to be harmless (`MEMBER`)."""
    kind, content_hash, *rest = name.split("/")
    if kind == ORIGINALS:
        return data_dir / ORIGINALS / content_hash[:2] / content_hash  # as ingest_service.documents.blobs keeps them
    return data_dir / RECOGNISED / content_hash / rest[0]


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece
