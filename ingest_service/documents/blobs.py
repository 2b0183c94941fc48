"""The original bytes of documents, kept under their hash: `<folder>/ab/abcdef...`.

Everything is read from here, so a file that changes or vanishes while it is worked on harms nothing.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from ingest_service.documents.document_locks import DocumentLocks
from ingest_service.documents.folder_lock import FolderLock
from shared.errors import NotFound, TooLarge, Unavailable

PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class StagedBlob:
    """Bytes that arrived completely and are safe on disk under a temporary name."""

    path: Path
    content_hash: str
    size: int


class Blobs:
    """A content-addressed folder on one disk, which several processes may share. Thread-safe; memory stays at one piece
    of 1 MiB."""

    def __init__(self, folder: Path, *, max_mb: int, dropping: Callable[[str], None] = lambda _: None) -> None:
        """`dropping` is told the hash of bytes that are about to go, and may be told twice."""
        self.folder = folder
        self._dropping = dropping
        self.max_bytes = max_mb * 1024 * 1024
        self._max_mb = max_mb
        # Held while a blob gets its first or loses its last document, so that no purge takes what just arrived. A lock
        # of the folder and not of the process: workers publish and purge in processes of their own.
        self.changing = FolderLock(folder.with_name(f"{folder.name}.lock"))
        self.publishing = DocumentLocks(folder.with_name(f"{folder.name}.locks"))

    @contextmanager
    def changing_documents(
        self, which: Callable[[], Collection[UUID]], *, within_s: float | None = None
    ) -> Iterator[None]:
        """Hold `changing` while none of the documents that `which` names is being published.

        It is asked without a lock, and again with them, until it names the same ones. Raises `Unavailable` if others
        held one of them for `within_s` seconds.
        """
        while True:
            named = which()
            with self.publishing.of(*named, within_s=within_s), self.changing:
                if which() == named:
                    yield
                    return

    def prepare(self) -> None:
        """Make the folder and drop what an interrupted process left half-received; what another one receives just now
        is locked by it."""
        with self.changing:
            self._incoming.mkdir(parents=True, exist_ok=True)
            for leftover in self._incoming.iterdir():
                with contextlib.suppress(FileNotFoundError, BlockingIOError), leftover.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    leftover.unlink()

    @contextmanager
    def stage(self, source: BinaryIO, name: str) -> Iterator[StagedBlob]:
        """Copy a stream to a temporary file that lives as long as the context, hashing on the way.

        Raises `TooLarge` as soon as the limit is passed, and `Unavailable` when the disk is full.
        """
        with self.changing:  # a process that starts just now must not find it before it is locked
            descriptor, temporary = tempfile.mkstemp(dir=self._incoming)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        path = Path(temporary)
        try:
            with os.fdopen(descriptor, "wb") as target:
                digest, size = hashlib.sha256(), 0
                while piece := source.read(PIECE_BYTES):
                    size += len(piece)
                    if size > self.max_bytes:
                        raise self.too_large(name)
                    digest.update(piece)
                    _write(target, piece)
                target.flush()
                os.fsync(target.fileno())
                yield StagedBlob(path, digest.hexdigest(), size)
        finally:
            path.unlink(missing_ok=True)

    def keep(self, staged: StagedBlob) -> None:
        """Give staged bytes their lasting name. Safe to repeat; what is already there stays. Call with `changing`."""
        target = self.path(staged.content_hash)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.path.rename(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the rename itself must survive a power cut
        finally:
            os.close(folder)

    def path(self, content_hash: str) -> Path:
        """Where the bytes are, or would be."""
        return self.folder / content_hash[:2] / content_hash

    def kept(self) -> Iterator[str]:
        """The hashes of all bytes here."""
        return (path.name for path in self.folder.glob("??/*"))

    def existing(self, content_hash: str) -> Path:
        """Where the bytes are; raises `NotFound` when they are gone."""
        path = self.path(content_hash)
        if not path.is_file():
            raise NotFound("The original bytes of this document are no longer kept here: send the document again.")
        return path

    def drop_unless(self, content_hash: str, still_needed: Callable[[], bool]) -> None:
        """Delete the bytes if nobody needs them any more. Unknown bytes are no error."""
        with self.changing:
            if not still_needed():
                self._dropping(content_hash)
                self.path(content_hash).unlink(missing_ok=True)

    def too_large(self, name: str) -> TooLarge:
        return TooLarge(
            f"{name} is larger than the limit of {self._max_mb} MiB (INGEST__MAX_FILE_MB). "
            "Split it, or raise the limit."
        )

    @property
    def _incoming(self) -> Path:
        return self.folder / "incoming"


def hash_of(stream: BinaryIO) -> str:
    """The content hash of a stream from its start, as `stage` takes it; the stream stands at its start again."""
    digest = hashlib.sha256()
    stream.seek(0)
    while piece := stream.read(PIECE_BYTES):
        digest.update(piece)
    stream.seek(0)
    return digest.hexdigest()


def _write(target: BinaryIO, piece: bytes) -> None:
    try:
        target.write(piece)
    except OSError as error:
        raise Unavailable(
            f"The document could not be stored ({error.strerror}). Check the space left in XGTWIN_DATA_DIR.",
            retry_after=60,
        ) from error
