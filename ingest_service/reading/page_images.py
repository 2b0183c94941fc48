"""Pages of published documents as pictures, with a passage marked."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from ingest_service.documents.blobs import Blobs
from ingest_service.documents.catalogue import Catalogue
from ingest_service.parsing.errors import ParserDied
from ingest_service.parsing.images.page_image import marked_page
from ingest_service.parsing.media_types import IMAGES, PDF
from ingest_service.parsing.sniff import sniff_file
from ingest_service.reading.reader import Reader
from ingest_service.reading.recognition import kept_page
from shared.errors import NotFound, Unavailable, Unprocessable
from shared.models import Chunk
from shared.vector_store.protocol import VectorStore

EDITION = 1
"""Part of every ETag: another one when the same page would be drawn otherwise."""
DRAW_SECONDS = 10.0
AT_ONCE = 2
PATIENCE_S = 5.0
"""How long a request waits for its turn."""
MAX_WAITING = 8
MAX_HOPELESS = 1000
"""Pages that are remembered because they cannot be drawn."""
LONGEST_HIGHLIGHT = 5000
"""Characters; a passage has about 900."""
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page to draw. `etag` changes when the picture would."""

    path: Path
    media_type: str
    folder: Path
    number: int
    quote: str
    etag: str


class PageImages:
    """Draws pages. At most `AT_ONCE` are drawn at a time, and waiting costs no thread."""

    def __init__(self, catalogue: Catalogue, blobs: Blobs, store: VectorStore, reader: Reader) -> None:
        self.catalogue = catalogue
        self.blobs = blobs
        self.store = store
        self.reader = reader
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._hopeless: set[tuple[Path, int]] = set()

    def find(
        self, organization_id: UUID, document_id: UUID, number: int, highlight: str, *, version: int | None = None
    ) -> PageRequest:
        """What is to be drawn: a page of the version that questions see. `highlight` is `start-end` in characters of
        the canonical text, as chunks give them, or empty.

        Raises `NotFound` when there is no such page image or another `version` is published, `Unprocessable` for a
        highlight that is none.
        """
        span = _span(highlight)
        document = self.catalogue.document(organization_id, document_id)
        if document.published_version is None:
            raise NotFound("No version of this document has been read completely: its pages are shown after that.")
        if version not in {None, document.published_version}:
            raise NotFound(
                f"Version {version} of this document is no longer shown, version {document.published_version} is: what "
                "was cited may stand elsewhere in it. Ask again for a citation of it.",
                code="other_version",
            )
        name, content_hash = self.catalogue.content_of(organization_id, document_id)
        path = self.blobs.existing(content_hash)
        media_type = sniff_file(path, name)
        if media_type != PDF and media_type not in IMAGES:
            raise NotFound(
                f"{name} has no page images: only pages of PDFs and image files are drawn. "
                f"GET /documents/{document_id}/content gives the file itself."
            )
        quote = _text_of(self.store.chunks(organization_id, document_id), *span) if span else ""
        folder = self.reader.kept(content_hash)
        repaired = folder / "repaired.pdf"
        tag = hashlib.sha256(f"{EDITION}/{content_hash}/{number}/{quote}".encode()).hexdigest()[:32]
        readable = repaired if media_type == PDF and repaired.is_file() else path
        return PageRequest(readable, media_type, folder, number, quote, f'"{tag}"')

    async def draw(self, request: PageRequest) -> bytes:
        """The page as PNG. Raises `NotFound` for a page behind the last, `Unprocessable` for one that cannot be drawn,
        `Unavailable` when too many are asked for at once."""
        async with self._turn():
            if (request.path, request.number) in self._hopeless:
                raise _undrawable(request)
            return await asyncio.to_thread(self._drawn, request)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        busy = Unavailable("Too many pages are being drawn. Ask again in a moment.", retry_after=2)
        if self._waiting >= MAX_WAITING:
            raise busy
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._turns.acquire()
        except TimeoutError as error:
            raise busy from error
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()

    def _drawn(self, request: PageRequest) -> bytes:
        try:
            return self.reader.sandbox.call_now(
                DRAW_SECONDS,
                marked_page,
                request.path,
                request.media_type,
                request.number,
                request.quote,
                kept_page(request.folder, request.number),
            )
        except ParserDied as error:
            if len(self._hopeless) >= MAX_HOPELESS:
                self._hopeless.clear()
            self._hopeless.add((request.path, request.number))
            raise _undrawable(request) from error


def _undrawable(request: PageRequest) -> Unprocessable:
    return Unprocessable(
        f"Page {request.number} cannot be drawn in {DRAW_SECONDS:g} s and with the memory that is allowed."
    )


def _span(highlight: str) -> tuple[int, int] | None:
    if not highlight:
        return None
    found = _RANGE.fullmatch(highlight)
    if not found or not 0 < int(found[2]) - int(found[1]) <= LONGEST_HIGHLIGHT:
        raise Unprocessable(
            "highlight is start-end in characters, as `start` and `end` of a chunk (highlight=120-480), "
            f"at most {LONGEST_HIGHLIGHT} characters long."
        )
    return int(found[1]), int(found[2])


def _text_of(chunks: Sequence[Chunk], start: int, end: int) -> str:
    """The canonical text from `start` to `end` as far as passages hold it; they overlap, headings are between them."""
    parts: list[str] = []
    position = start
    for chunk in sorted(chunks, key=lambda chunk: chunk.start):
        first, last = max(position, chunk.start), min(end, chunk.end)
        if first < last:
            parts.append(chunk.text[first - chunk.start : last - chunk.start])
            position = last
    if not parts:
        raise Unprocessable("highlight lies outside the text of this document: take start and end from its chunks.")
    return "\n".join(parts)
