"""From the pages of a PDF, read window by window, to the document: what only all pages together can tell."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ingest_service.parsing.blocks import Block, BlockKind
from ingest_service.parsing.markup.markdown_table import markdown_table
from ingest_service.parsing.pdf.contents_list import ONLY_PAGE_NUMBERS
from ingest_service.parsing.pdf.hyphens import split_at_page_end
from ingest_service.parsing.pdf.lines import Line, mended
from ingest_service.parsing.pdf.pages import PdfPage
from ingest_service.parsing.pdf.running_lines import without_running_lines
from ingest_service.parsing.pdf.table_heads import TableHeads

# liteparse marks emphasis as Markdown does, also inside blocks; a reader of the page sees no asterisks.
_EMPHASIS = re.compile(r"(?<![\w*\\])(\*{1,3})(?=[^\s*])([^*\n]+)(?<=[^\s*\\])\1(?![\w*])")
_ESCAPED = re.compile(r"\\([\\*_])")
# "Capítulo 1 ........ 7" of contents pages.
_DOT_LEADERS = re.compile(r"(?:[.·…]\s?){4,}")
_DEEPEST = 6


def blocks_of(pages: Sequence[PdfPage]) -> list[Block]:
    """The document's blocks, without running headers and page numbers, heading levels told from font sizes."""
    bare = without_running_lines(pages)
    levels = _levels(line for lines in bare.values() for line in lines)
    heads = TableHeads()
    blocks = [block for page in pages for block in _page(page, bare[page.number], levels, heads)]
    return split_at_page_end(blocks)


def _levels(lines: Iterable[Line]) -> Mapping[float, int]:
    """Level by font size: the largest is 1. A window sees only its own pages, so what it says holds for them alone."""
    sizes = sorted({line.size for line in lines if line.kind == BlockKind.HEADING and line.size}, reverse=True)
    return {size: min(rank, _DEEPEST) for rank, size in enumerate(sizes, 1)}


def _page(page: PdfPage, lines: list[Line], levels: Mapping[float, int], heads: TableHeads) -> Iterator[Block]:
    table: list[Line] = []
    cleaned = [line for line in map(_cleaned, mended(lines)) if _says_something(line, page)]
    for line in heads.named(page, cleaned):
        if table and (line.kind != BlockKind.TABLE_ROW or line.opens_table):
            yield _table(page, table)
            table = []
        if line.kind == BlockKind.TABLE_ROW:
            table.append(line)
        else:
            yield Block(line.kind, line.text, levels.get(line.size, line.level), page.number, page.label)
    if table:
        yield _table(page, table)


def _says_something(line: Line, page: PdfPage) -> bool:
    if line.kind == BlockKind.TABLE_ROW or not ONLY_PAGE_NUMBERS.fullmatch(line.text):
        return bool(line.text)
    if line.text.strip("-– ") in {str(page.number), page.label} or page.at_edge(line):
        return False
    return any(map(str.isdigit, line.text))


def _table(page: PdfPage, rows: list[Line]) -> Block:
    if len(rows) == 1:
        return Block(BlockKind.PARAGRAPH, rows[0].text, 0, page.number, page.label)
    table = markdown_table([row.cells for row in rows], headless=not rows[0].text)
    return Block(BlockKind.TABLE, table, 0, page.number, page.label)


def _cleaned(line: Line) -> Line:
    if line.kind == BlockKind.CODE:
        return line
    text, cells = _plain(line.text), tuple(_plain(cell) for cell in line.cells)
    return line if (text, cells) == (line.text, line.cells) else replace(line, text=text, cells=cells)


def _plain(text: str) -> str:
    if "*" in text:
        text = _EMPHASIS.sub(r"\2", text)
    if "\\" in text:
        text = _ESCAPED.sub(r"\1", text)
    return _DOT_LEADERS.sub(" ", text).strip()
