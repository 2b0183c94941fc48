"""Running headers and footers: said on every page, worth finding once.

Careful on purpose: a header too many in a passage is noise, a lost first line is a lost fact.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.pdf.lines import Line
from ingest_service.parsing.pdf.pages import PdfPage

MARGIN_LINES = 2
"""So many lines at the top and at the bottom of a page can be running ones."""
MIN_PAGES = 3
MIN_SHARE = 0.6

_AROUND_NUMBERS = " |–—-"
# No full stop among the marks around the number: what ends with one is a sentence, and stays.
_NUMBER_FIRST = re.compile(r"^[\s|–—-]*(\d+)[\s|–—-]+(?=\w)")
_NUMBER_LAST = re.compile(r"(?<=\w)[\s|–—-]+(\d+)[\s|–—-]*$")


def without_running_lines(pages: Sequence[PdfPage]) -> dict[int, list[Line]]:
    """By page number, the lines without those that stand at the margin of most pages in the same words, a page number
    before or after them aside. The first page that has such a line keeps it."""
    said = {
        page.number: {index: _wordings(page.lines[index], page.number) for index in _margins(page)} for page in pages
    }
    seen = Counter(wording for lines in said.values() for wording in set().union(*lines.values()))
    enough = max(MIN_PAGES, MIN_SHARE * len(pages))
    running = {wording for wording, count in seen.items() if count >= enough}
    kept: set[str] = set()
    result: dict[int, list[Line]] = {}
    for page in pages:
        dropped: set[int] = set()
        for index, wordings in said[page.number].items():
            if wordings & running & kept:
                dropped.add(index)
            kept |= wordings
        result[page.number] = [line for index, line in enumerate(page.lines) if index not in dropped]
    return result


def _margins(page: PdfPage) -> Iterator[int]:
    # The head that a table repeats on each page is no running header.
    for index, line in enumerate(page.lines):
        outer = index < MARGIN_LINES or index >= len(page.lines) - MARGIN_LINES
        if outer and line.kind != BlockKind.TABLE_ROW and page.at_edge(line):
            yield index


def _wordings(line: Line, page: int) -> set[str]:
    """What a running line says alike on every page: its words, and how far its number is from the page's.

    `Guia do 5G - 7` and `8 | Guia do 5G` say the same on pages 7 and 8; chapter headings that open pages do not.
    `Plano 2026-2030` says the same as it is.
    """
    text = " ".join(line.text.split()).casefold()
    bare = text.strip(_AROUND_NUMBERS)
    if not (bare[:1].isdigit() or bare[-1:].isdigit()):
        return {text}
    for pattern in (_NUMBER_LAST, _NUMBER_FIRST):
        if found := pattern.search(text):
            words = (text[: found.start()] + text[found.end() :]).strip()
            return {text, f"{words} #{int(found[1]) - page}"}
    return {text}
