"""From the bytes of a document to its blocks: all that happens in reading processes, seen from here."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from ingest_service.parsing.blocks import ParsedDocument
from ingest_service.parsing.media_types import IMAGES, PDF
from ingest_service.parsing.ocr.tessdata import LanguageData
from ingest_service.parsing.sandbox import Sandbox
from ingest_service.reading.images import ImageReading
from ingest_service.reading.pdf import PdfReading
from ingest_service.reading.progress import Report
from ingest_service.reading.recognition import Recogniser


class Reader:
    """Reads documents of every kind. Thread-safe. What is dear to make again is kept in `folder`, by content hash."""

    def __init__(self, sandbox: Sandbox, folder: Path, languages: LanguageData) -> None:
        self.sandbox = sandbox
        self.folder = folder
        recogniser = Recogniser(sandbox, languages)
        self._pdf, self._images = PdfReading(recogniser), ImageReading(recogniser)

    def read(self, path: Path, content_hash: str, media_type: str, report: Report) -> ParsedDocument:
        """The document's blocks. Raises `UnreadableDocument`, `ParserDied`, and what `report` raises."""
        if media_type == PDF:
            return self._pdf.read(path, self.kept(content_hash), report)
        if media_type in IMAGES:
            return self._images.read(path, media_type, self.kept(content_hash), report)
        return self.sandbox.parse(path, media_type, still_wanted=lambda: report("parsing", 0, 0))

    def kept(self, content_hash: str) -> Path:
        """The folder of what is dear to make again: recognised pages, a repaired copy."""
        return self.folder / content_hash

    def forget(self, content_hash: str) -> None:
        """Drop whatever was kept for reading these bytes again. Unknown bytes are no error."""
        shutil.rmtree(self.kept(content_hash), ignore_errors=True)

    def forget_all_but(self, content_hashes: Iterable[str]) -> None:
        """Drop what was kept for bytes that are gone, such as a page that was recognised while they went."""
        if not self.folder.is_dir():
            return
        needed = set(content_hashes)
        for folder in self.folder.iterdir():
            if folder.name not in needed:
                self.forget(folder.name)
