"""Text recognition of a document's pages: in several reading processes at once, each page kept when it is done.

Kept pages make a job that was killed go on where it was, and let a passage be marked on its page later.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from ingest_service.parsing.errors import ParserDied, UnreadableDocument
from ingest_service.parsing.ocr.page_recognition import recognise_page
from ingest_service.parsing.ocr.recognised import RecognisedPage
from ingest_service.parsing.ocr.tessdata import LanguageData
from ingest_service.parsing.sandbox import TICK_S, Sandbox
from ingest_service.reading.progress import Report
from shared.observability.logs import get_logger

log = get_logger(__name__)

STAGE = "recognising"
PAGE_SECONDS = 60.0
"""What a page may take, unless INGEST__PARSE_TIMEOUT_S is shorter. A clean one takes 1.2 s, pure noise 20 s."""
MOST_DEATHS = 8
"""So many readers may one document kill; then the rest of it is not tried."""


class _NoLongerWanted(Exception):
    """Ends the calls of pages in hand when the document's own call ends."""


@dataclass
class Recognition:
    """What came of it: pages by number, and the numbers of those that could not be looked at."""

    pages: dict[int, RecognisedPage] = field(default_factory=dict)
    failed: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class ScannedDocument:
    """Where to read a document, and where its recognised pages are kept."""

    path: Path
    media_type: str
    folder: Path

    def kept(self, number: int) -> Path:
        return self.folder / f"{number}.json"


class Recogniser:
    """Recognises pages. Thread-safe. `languages.folder` must be there."""

    def __init__(self, sandbox: Sandbox, languages: LanguageData) -> None:
        self.sandbox = sandbox
        self.languages = languages

    def read(self, document: ScannedDocument, numbers: Sequence[int], report: Report) -> Recognition:
        """The words of these pages; a page that cannot be read is left out and named. Raises what `report` raises."""
        found = Recognition()
        for number in numbers:
            if page := kept_page(document.folder, number):
                found.pages[number] = page
        waiting = [number for number in numbers if number not in found.pages]
        stop = threading.Event()
        executor = ThreadPoolExecutor(self.sandbox.readers, thread_name_prefix="recognition")
        deaths = 0
        running: dict[Future[RecognisedPage], int] = {}
        try:
            while waiting or running:
                report(STAGE, len(found.pages) + len(found.failed), len(numbers))
                while waiting and len(running) < self.sandbox.readers:
                    number = waiting.pop(0)
                    running[executor.submit(self._page, document, number, stop)] = number
                for future in wait(running, timeout=TICK_S, return_when=FIRST_COMPLETED).done:
                    deaths += _take(future, running.pop(future), found)
                if deaths >= MOST_DEATHS:
                    found.failed += waiting
                    waiting = []
        finally:
            stop.set()
            executor.shutdown(cancel_futures=True)
        return found

    def _page(self, document: ScannedDocument, number: int, stop: threading.Event) -> RecognisedPage:
        def still_wanted() -> None:
            if stop.is_set():
                raise _NoLongerWanted

        assert self.languages.folder is not None
        page = self.sandbox.call_within(
            min(PAGE_SECONDS, self.sandbox.limits.timeout_s),
            still_wanted,
            recognise_page,
            document.path,
            document.media_type,
            number,
            self.languages.folder,
            self.languages.languages,
        )
        _keep(page, document.kept(number))
        return page


def _take(future: Future[RecognisedPage], number: int, found: Recognition) -> bool:
    """Note what came of a page; whether it killed its reader."""
    try:
        found.pages[number] = future.result()
    except (ParserDied, UnreadableDocument) as error:
        log.warning("page_not_recognised", page=number, reason=error.detail)
        found.failed.append(number)
        return isinstance(error, ParserDied)
    return False


def kept_page(folder: Path, number: int) -> RecognisedPage | None:
    """A page recognised before, if it was kept whole."""
    try:
        return RecognisedPage.model_validate_json((folder / f"{number}.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _keep(page: RecognisedPage, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Named after its thread: two jobs may read the same bytes, of two organizations.
    partial = target.with_suffix(f".{threading.get_ident()}.part")
    partial.write_text(page.model_dump_json())
    partial.replace(target)
