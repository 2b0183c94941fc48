"""Rows of cells, from a sheet or a CSV file, to blocks: tables, and the lines of text between them."""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import Block, BlockKind
from ingest_service.parsing.markup.markdown_table import markdown_table

MAX_COLUMNS = 16_384
"""As in the spreadsheet programs: a line with more is no line of a table."""
_VALUE = re.compile(r"(?:[A-Z]{0,2}[$€£]\s?)?[+-]?\d[\d.,:/ ]*%?")
_YEAR = re.compile(r"(?:19|20)\d\d")
"""Heads of columns as often as values."""


def blocks_of_grid(rows: Iterable[Sequence[str]], page: int | None) -> Iterator[Block]:
    """Empty rows part one table from the next; rows of values after one go on under the head before. Lines of a single
    cell above a table are its title, not its header, and a column of text is text. Raises `BrokenDocument` beyond
    `MAX_COLUMNS`."""
    table: list[Sequence[str]] = []
    head: Sequence[str] = ()
    for row in rows:
        if len(row) > MAX_COLUMNS:
            raise errors.too_many_columns(len(row), MAX_COLUMNS)
        cells = sum(1 for text in row if text.strip())
        if cells == 0:
            head = yield from _closed(table, head, page)
            table = []
        elif cells == 1 and not table:
            yield Block(kind=BlockKind.PARAGRAPH, text=next(text for text in row if text.strip()), page=page)
        else:
            table.append(row)
    yield from _closed(table, head, page)


def _closed(
    table: Sequence[Sequence[str]], head: Sequence[str], page: int | None
) -> Generator[Block, None, Sequence[str]]:
    """The table as a block, and the head that holds for what follows."""
    if not table:
        return head
    goes_on = _has_values(table[0]) and not _has_values(head) and 0 < len(_filled(table[0])) <= len(_filled(head))
    rows = [head, *table] if goes_on else table
    yield Block(kind=BlockKind.TABLE, text=markdown_table(rows), page=page)
    return rows[0]


def _has_values(row: Sequence[str]) -> bool:
    return any(_VALUE.fullmatch(text.strip()) and not _YEAR.fullmatch(text.strip()) for text in row)


def _filled(row: Sequence[str]) -> list[str]:
    return [text for text in row if text.strip()]
