"""Rows of cells, from a sheet or a CSV file, to blocks: tables, and the lines of text between them."""

from collections.abc import Iterable, Iterator, Sequence

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import Block, BlockKind
from ingest_service.parsing.markup.markdown_table import markdown_table

MAX_COLUMNS = 16_384
"""As in the spreadsheet programs: a line with more is no line of a table."""


def blocks_of_grid(rows: Iterable[Sequence[str]], page: int | None) -> Iterator[Block]:
    """Empty rows part one table from the next. Lines of a single cell above a table are its title, not its header,
    and a column of text is text. Raises `BrokenDocument` beyond `MAX_COLUMNS`."""
    table: list[Sequence[str]] = []
    for row in rows:
        if len(row) > MAX_COLUMNS:
            raise errors.too_many_columns(len(row), MAX_COLUMNS)
        cells = sum(1 for text in row if text.strip())
        if cells == 0:
            yield from _closed(table, page)
            table = []
        elif cells == 1 and not table:
            yield Block(kind=BlockKind.PARAGRAPH, text=next(text for text in row if text.strip()), page=page)
        else:
            table.append(row)
    yield from _closed(table, page)


def _closed(table: Sequence[Sequence[str]], page: int | None) -> Iterator[Block]:
    if table:
        yield Block(kind=BlockKind.TABLE, text=markdown_table(table), page=page)
