"""Locks of single documents, among all threads and processes of one installation.

Whoever publishes a document holds its lock for as long as the vector store takes, which is long for a book; whoever
begins its next version, cancels its job or deletes it takes the same lock before. Everybody else goes on.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

from ingest_service.documents.folder_lock import FolderLock
from shared.errors import Unavailable

STRIPES = 64
"""Files that documents share by their ids: one file each could never be removed safely. Of 64 documents, one waits for
a stranger that is published just then."""

RETRY_AFTER_S = 10


class DocumentLocks:
    """Taken before `Blobs.changing`, never while that is held. Nothing is written before the first one is taken."""

    def __init__(self, folder: Path) -> None:
        self._locks = [FolderLock(folder / f"{stripe:02}.lock") for stripe in range(STRIPES)]

    @contextmanager
    def of(self, *document_ids: UUID, within_s: float | None = None) -> Iterator[None]:
        """These documents, if any. Who holds some asks for no others. Raises `Unavailable` if others held one for
        `within_s` seconds."""
        with self._held({document_id.int % STRIPES for document_id in document_ids}, within_s):
            yield

    @contextmanager
    def all(self) -> Iterator[None]:
        """Every document there is, one after the other: so it comes to pass while others keep publishing, and those
        that are held already wait for the last."""
        with self._held(set(range(STRIPES)), None):
            yield

    @contextmanager
    def _held(self, stripes: set[int], within_s: float | None) -> Iterator[None]:
        with ExitStack() as stack:
            for stripe in sorted(stripes):  # in one order, or two would wait for each other
                if not self._locks[stripe].take(within_s):
                    raise Unavailable(
                        "This document waits for one that is being published just now, perhaps its own version before. "
                        "Send it again later.",
                        code="document_busy",
                        retry_after=RETRY_AFTER_S,
                    )
                stack.callback(self._locks[stripe].let_go)
            yield
