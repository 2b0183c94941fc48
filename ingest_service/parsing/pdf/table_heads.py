"""Which row names the columns of a table: of one that runs over pages, the first row of its first part."""

import re
from collections.abc import Iterator
from dataclasses import replace
from math import isfinite

from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.pdf.lines import Line
from ingest_service.parsing.pdf.pages import PdfPage

_SAME_COLUMN_POINTS = 4.0
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_YEAR = re.compile(r"(?:19|20)\d\d")


class TableHeads:
    """Goes through a document's pages in order and puts in front of each table the row that names its columns."""

    def __init__(self) -> None:
        self._above: Line | None = None
        """The head of the table that the page before ends with."""

    def named(self, page: PdfPage, lines: list[Line]) -> Iterator[Line]:
        """The page's lines. A part of a table gets the head of its first part; a table of data alone an empty one."""
        body = [line for line in lines if line.kind == BlockKind.TABLE_ROW or not page.at_edge(line)]
        known, head = self._above, None
        for index, line in enumerate(lines):
            opens = line.opens_table or not index or lines[index - 1].kind != BlockKind.TABLE_ROW
            if line.kind != BlockKind.TABLE_ROW or not opens:
                yield line
                continue
            below = lines[index + 1] if index + 1 < len(lines) else None
            head = _head(line, below, known if line is body[0] else None)
            if head is not line:
                yield replace(head, top=line.top, bottom=line.top, opens_table=True)
            yield replace(line, opens_table=head is line)
        self._above = head if body and body[-1].kind == BlockKind.TABLE_ROW else None


def _head(first: Line, below: Line | None, known: Line | None) -> Line:
    rows_alike = below is not None and _are_alike(first, below)
    if known and first.text.casefold() == known.text.casefold():
        return first
    if known and _same_columns(known, first) and (rows_alike or not _names_columns(first, below)):
        return known
    return replace(first, text="", cells=("",) * len(first.cells)) if rows_alike else first


def _same_columns(head: Line, row: Line) -> bool:
    if len(head.cells) != len(row.cells):
        return False
    pairs = [pair for pair in zip(head.lefts, row.lefts, strict=True) if all(map(isfinite, pair))]
    return 2 * len(pairs) >= len(row.cells) and all(abs(a - b) <= _SAME_COLUMN_POINTS for a, b in pairs)


def _names_columns(row: Line, below: Line | None) -> bool:
    """Whether a row without a digit stands above one with digits: another table's head."""
    filled = all(row.cells) and not any(map(_DIGITS.search, row.cells))
    return filled and below is not None and any(map(_DIGITS.search, below.cells))


def _are_alike(row: Line, below: Line) -> bool:
    """Whether at least half of the cells are written alike with other numbers (`G_9`, `G_10`): both rows are data.
    Years may well name columns."""
    alike = sum(
        _DIGITS.search(above) is not None and not _YEAR.fullmatch(above) and _shape(above) == _shape(under)
        for above, under in zip(row.cells, below.cells, strict=False)
    )
    return 2 * alike >= len(row.cells)


def _shape(cell: str) -> str:
    return _LETTERS.sub("a", _DIGITS.sub("9", cell))
