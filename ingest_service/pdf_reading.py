"""How a PDF is read: opened once, then window by window, then what only all pages together tell.

A window is one call of a reading process, so a page that takes all memory or never ends costs its window; the window's
other pages are read one by one then, and the document goes on without that page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.errors import BrokenDocument, ParserDied
from ingest_service.parsing.pdf_document import blocks_of
from ingest_service.parsing.pdf_pages import PdfFacts, PdfPage, PdfWindow, page_ranges
from ingest_service.parsing.sandbox import Sandbox
from ingest_service.progress import Report
from shared.observability.logs import get_logger

log = get_logger(__name__)

WINDOW_PAGES = 50
PAGE_SECONDS = 20.0
"""What a page alone may take, unless INGEST__PARSE_TIMEOUT_S is shorter. Honest ones take a hundredth."""
MOST_DEATHS = 8
"""So many readers may one document kill; then the rest of it is not tried."""


@dataclass
class _Progress:
    """What reading the windows has come to."""

    pages: list[PdfPage] = field(default_factory=list)
    to_recognise: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    deaths: int = 0
    last_death: ParserDied | None = None

    def take(self, window: PdfWindow) -> None:
        self.pages += window.pages
        self.to_recognise += window.to_recognise
        self.failed += window.failed


class PdfReading:
    """Reads PDFs. Thread-safe."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def read(self, path: Path, copy: Path, report: Report) -> ParsedDocument:
        """The document; a damaged one is repaired into `copy`. Pages that cannot be read are named in its note.

        Raises `UnreadableDocument` or `ParserDied` if that is true of all its pages, and what `report` raises.
        """
        if not path.stat().st_size:
            raise errors.without_bytes()
        facts = self.sandbox.call(lambda: report("parsing", 0, 0), _open_pdf, path, copy, self.sandbox.limits)
        progress = self._windows(facts, report)
        blocks = blocks_of(progress.pages)
        if not blocks and facts.repaired:
            raise errors.cut_off()
        return ParsedDocument(blocks=tuple(blocks), title=facts.title, pages=facts.pages, note=_note(facts, progress))

    def _windows(self, facts: PdfFacts, report: Report) -> _Progress:
        progress = _Progress()
        for first in range(1, facts.pages + 1, WINDOW_PAGES):
            last = min(first + WINDOW_PAGES - 1, facts.pages)
            report("parsing", first - 1, facts.pages)
            if progress.deaths >= MOST_DEATHS:
                progress.failed += range(first, last + 1)
                continue
            try:
                progress.take(self._window(facts, first, last, self.sandbox.limits.timeout_s, report))
            except (ParserDied, BrokenDocument) as error:
                log.warning("pdf_window_failed", first=first, last=last, reason=error.detail)
                self._one_by_one(facts, first, last, progress, report)
        if not progress.pages:
            raise progress.last_death or errors.broken()
        return progress

    def _one_by_one(self, facts: PdfFacts, first: int, last: int, progress: _Progress, report: Report) -> None:
        seconds = min(PAGE_SECONDS, self.sandbox.limits.timeout_s)
        for number in range(first, last + 1):
            if progress.deaths >= MOST_DEATHS:
                progress.failed += range(number, last + 1)
                return
            try:
                progress.take(self._window(facts, number, number, seconds, report))
            except BrokenDocument:
                progress.failed.append(number)
            except ParserDied as error:
                progress.failed.append(number)
                progress.deaths, progress.last_death = progress.deaths + 1, error

    def _window(self, facts: PdfFacts, first: int, last: int, seconds: float, report: Report) -> PdfWindow:
        return self.sandbox.call_within(
            seconds, lambda: report("parsing", first - 1, facts.pages), _read_window, facts.path, first, last
        )


def _note(facts: PdfFacts, progress: _Progress) -> str:
    told = []
    if progress.failed:
        told.append(f"Could not be read and left out: {_pages(progress.failed)}.")
    empty = [page.number for page in progress.pages if not page.characters]
    if facts.repaired and (lost := sorted({*empty} - {*progress.to_recognise})):
        told.append(
            f"The file is damaged; nothing was left of {_pages(lost)}. Export it again if something is missing."
        )
    return " ".join(told)


def _pages(numbers: Sequence[int]) -> str:
    return f"{'page' if len(numbers) == 1 else 'pages'} {page_ranges(numbers)}"


def _open_pdf(path: Path, copy: Path, limits: ParsingLimits) -> PdfFacts:
    # Imported in the reading process alone: liteparse and pdfium are heavy.
    from ingest_service.parsing.pdf import open_pdf

    return open_pdf(path, copy, limits)


def _read_window(path: Path, first: int, last: int) -> PdfWindow:
    from ingest_service.parsing.pdf import read_window

    return read_window(path, first, last)
