"""How an image file is read: each of its pages goes through text recognition."""

from pathlib import Path

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import ParsedDocument
from ingest_service.parsing.ocr.page_recognition import count_frames
from ingest_service.parsing.pdf.document import blocks_of
from ingest_service.parsing.pdf.pages import PdfPage
from ingest_service.reading.note import doubtful_text, left_out, unrecognised
from ingest_service.reading.progress import Report
from ingest_service.reading.recognised_lines import page_of
from ingest_service.reading.recognition import Recogniser, ScannedDocument


class ImageReading:
    """Reads image files. Thread-safe."""

    def __init__(self, recogniser: Recogniser) -> None:
        self.recogniser = recogniser

    def read(self, path: Path, media_type: str, folder: Path, report: Report) -> ParsedDocument:
        """The document. Raises `UnreadableDocument`, `ParserDied`, and what `report` raises."""
        sandbox, languages = self.recogniser.sandbox, self.recogniser.languages
        pages = sandbox.call(lambda: report("parsing", 0, 0), count_frames, path)
        if pages > sandbox.limits.max_pages:
            raise errors.too_many_pages(pages, sandbox.limits.max_pages)
        numbers = range(1, pages + 1)
        if languages.folder is None:
            return ParsedDocument(blocks=(), pages=pages, note=unrecognised(numbers, languages.advice))
        found = self.recogniser.read(ScannedDocument(path, media_type, folder), numbers, report)
        if not found.pages:
            raise errors.broken_image()
        read: list[PdfPage] = [page_of(found.pages[number], number) for number in sorted(found.pages)]
        note = " ".join(filter(None, (left_out(found.failed), doubtful_text(found.pages))))
        return ParsedDocument(blocks=tuple(blocks_of(read)), pages=pages, note=note)
