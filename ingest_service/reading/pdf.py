"""How a PDF is read: opened once, then window by window, then what only all pages together tell.

A window is one call of a reading process, so a page that takes all memory or never ends costs its window; the window's
other pages are read one by one then, and the document goes on without that page.
"""

from dataclasses import dataclass, field
from pathlib import Path

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.errors import BrokenDocument, ParserDied
from ingest_service.parsing.media_types import PDF
from ingest_service.parsing.pdf.document import blocks_of
from ingest_service.parsing.pdf.pages import PdfFacts, PdfPage, PdfWindow
from ingest_service.reading.note import doubtful_text, left_out, nothing_left, unrecognised
from ingest_service.reading.progress import Report
from ingest_service.reading.recognised_lines import better
from ingest_service.reading.recognition import Recogniser, Recognition, ScannedDocument
from shared.observability.logs import get_logger

log = get_logger(__name__)

WINDOW_PAGES = 50
PAGE_SECONDS = 20.0
"""What a page alone may take, unless INGEST__PARSE_TIMEOUT_S is shorter. Honest ones take a hundredth."""
MOST_DEATHS = 8
"""So many readers may one document kill; then the rest of it is not tried."""


@dataclass
class _Pages:
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

    def give_up(self, number: int, error: ParserDied | BrokenDocument) -> None:
        self.failed.append(number)
        if isinstance(error, ParserDied):
            self.deaths, self.last_death = self.deaths + 1, error

    @property
    def empty(self) -> bool:
        """Whether there is neither text nor anything that may be an image of text."""
        return not self.to_recognise and not any(page.characters for page in self.pages)


class PdfReading:
    """Reads PDFs. Thread-safe."""

    def __init__(self, recogniser: Recogniser) -> None:
        self.recogniser = recogniser
        self.sandbox = recogniser.sandbox

    def read(self, path: Path, folder: Path, report: Report) -> ParsedDocument:
        """The document; what is dear to make again is kept in `folder`. Pages that cannot be read are named in its
        note.

        Raises `UnreadableDocument` or `ParserDied` if that is true of all its pages, and what `report` raises.
        """
        if not path.stat().st_size:
            raise errors.without_bytes()
        facts = self._open(path, folder, report, rebuild=False)
        found = self._windows(facts, report)
        if not facts.repaired and found.empty:
            facts, found = self._rebuilt(path, folder, report, facts, found)
        if not found.pages:
            raise found.last_death or errors.broken()
        if found.empty and facts.repaired:
            raise errors.cut_off()
        recognition = Recognition()
        if found.to_recognise and self.recogniser.languages.folder:
            document = ScannedDocument(facts.path, PDF, folder)
            recognition = self.recogniser.read(document, found.to_recognise, report)
        pages = [better(page, recognition.pages.get(page.number)) for page in found.pages]
        return ParsedDocument(
            blocks=tuple(blocks_of(pages)),
            title=facts.title,
            pages=facts.pages,
            note=self._note(facts, found, recognition),
        )

    def _open(self, path: Path, folder: Path, report: Report, *, rebuild: bool) -> PdfFacts:
        copy = folder / "repaired.pdf"
        return self.sandbox.call(
            lambda: report("parsing", 0, 0), _open_pdf, path, copy, self.sandbox.limits, rebuild=rebuild
        )

    def _rebuilt(
        self, path: Path, folder: Path, report: Report, facts: PdfFacts, found: _Pages
    ) -> tuple[PdfFacts, _Pages]:
        """What a copy gives that holds the pages alone: an endless outline or a tree too deep is harm beside them."""
        try:
            rebuilt = self._open(path, folder, report, rebuild=True)
        except (errors.UnreadableDocument, ParserDied) as error:
            log.warning("pdf_not_rebuilt", reason=error.detail)
            return facts, found
        again = self._windows(rebuilt, report)
        better = sum(page.characters for page in again.pages) > sum(page.characters for page in found.pages)
        return (rebuilt, again) if better else (facts, found)

    def _windows(self, facts: PdfFacts, report: Report) -> _Pages:
        found = _Pages()
        for first in range(1, facts.pages + 1, WINDOW_PAGES):
            last = min(first + WINDOW_PAGES - 1, facts.pages)
            report("parsing", first - 1, facts.pages)
            if found.deaths >= MOST_DEATHS:
                found.failed += range(first, last + 1)
                continue
            try:
                found.take(self._window(facts, first, last, self.sandbox.limits.timeout_s, report))
            except (ParserDied, BrokenDocument) as error:
                log.warning("pdf_window_failed", first=first, last=last, reason=error.detail)
                if first == last:
                    found.give_up(first, error)
                else:
                    self._one_by_one(facts, range(first, last + 1), found, report)
        return found

    def _one_by_one(self, facts: PdfFacts, numbers: range, found: _Pages, report: Report) -> None:
        seconds = min(PAGE_SECONDS, self.sandbox.limits.timeout_s)
        for number in numbers:
            if found.deaths >= MOST_DEATHS:
                found.failed += range(number, numbers.stop)
                return
            try:
                found.take(self._window(facts, number, number, seconds, report))
            except (ParserDied, BrokenDocument) as error:
                found.give_up(number, error)

    def _window(self, facts: PdfFacts, first: int, last: int, seconds: float, report: Report) -> PdfWindow:
        return self.sandbox.call_within(
            seconds, lambda: report("parsing", first - 1, facts.pages), _read_window, facts.path, first, last
        )

    def _note(self, facts: PdfFacts, found: _Pages, recognition: Recognition) -> str:
        languages = self.recogniser.languages
        empty = {page.number for page in found.pages if not page.characters} - {*found.to_recognise}
        told = (
            left_out(found.failed + recognition.failed),
            unrecognised(found.to_recognise, languages.advice) if not languages.folder else "",
            nothing_left(sorted(empty)) if facts.repaired else "",
            doubtful_text(recognition.pages),
        )
        return " ".join(filter(None, told))


def _open_pdf(path: Path, copy: Path, limits: ParsingLimits, *, rebuild: bool) -> PdfFacts:
    # Imported in the reading process alone: liteparse and pdfium are heavy.
    from ingest_service.parsing.pdf.layout import open_pdf

    return open_pdf(path, copy, limits, rebuild=rebuild)


def _read_window(path: Path, first: int, last: int) -> PdfWindow:
    from ingest_service.parsing.pdf.layout import read_window

    return read_window(path, first, last)
