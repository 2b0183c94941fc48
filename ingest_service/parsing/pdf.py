"""Digital PDFs by liteparse, this file being its only importer."""

import re
from collections.abc import Iterator
from math import inf
from typing import Any

from liteparse import LiteParse, ParseError

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import Block, BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.contents_list import ONLY_PAGE_NUMBERS, is_contents_list, lines_of
from ingest_service.parsing.pdf_door import document_title, repaired
from ingest_service.parsing.pdf_lines import Line, mended
from ingest_service.parsing.running_lines import without_running_lines

# liteparse marks emphasis as Markdown does, also inside blocks; a reader of the page sees no asterisks.
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*\n]+)(?<=[^\s*])\1(?![\w*])")
# "Capítulo 1 ........ 7" of contents pages.
_DOT_LEADERS = re.compile(r"(?:[.·…]\s?){4,}")


def parse_pdf(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """Blocks page by page, without running headers and page numbers.

    Raises `ProtectedDocument`, `EmptyDocument`, `TooManyPages`, or `BrokenDocument` when even a re-saved copy
    cannot be read.
    """
    try:
        result = _read(data, limits)
    except ParseError as error:
        if "password" in str(error):
            raise errors.protected() from error
        try:
            data = repaired(data)
            result = _read(data, limits)
        except ParseError as second:
            raise errors.broken() from second
    if result.total_pages == 0:
        raise errors.without_pages()
    if result.total_pages > limits.max_pages:
        raise errors.too_many_pages(result.total_pages, limits.max_pages)
    laid_out = without_running_lines(
        {page.page_num: [line for raw in page.blocks or () for line in _lines(raw, page)] for page in result.pages}
    )
    blocks = tuple(block for page in result.pages for block in _page(page, laid_out[page.page_num]))
    return ParsedDocument(blocks=blocks, title=document_title(data), pages=result.total_pages)


def _read(data: bytes, limits: ParsingLimits) -> Any:
    # Without max_pages liteparse stops at page 1000 and does not say so. Its own removal of headers and footers takes
    # telling first lines along ("Página 3: a válvula 3 é verde."), so ours does that.
    parser = LiteParse(
        extract_blocks=True,
        ocr_enabled=False,
        max_pages=limits.max_pages,
        continue_on_page_error=True,
        keep_headers_footers=True,
        quiet=True,
    )
    return parser.parse(data)


def _page(page: Any, lines: list[Line]) -> Iterator[Block]:
    for line in mended(lines):
        text = _cleaned(line.text)
        if text and not ONLY_PAGE_NUMBERS.fullmatch(text):
            yield Block(
                kind=line.kind, text=text, level=line.level, page=page.page_num, page_label=page.page_label or None
            )


def _lines(raw: Any, page: Any) -> Iterator[Line]:
    """A layout block with its place on the page; tables and contents lists as their rows. Rules and figures have no
    text."""
    top = raw.bbox.y if raw.bbox else 0.0
    bottom = top + raw.bbox.height if raw.bbox else 0.0
    match raw.kind:
        case "heading":
            yield Line(BlockKind.HEADING, raw.text or "", top, bottom, level=raw.level or 1)
        case "paragraph" if is_contents_list(raw, page.blocks):
            yield from (Line(BlockKind.LIST_ITEM, *line) for line in lines_of(raw, page))
        case "paragraph":
            yield Line(BlockKind.PARAGRAPH, raw.text or "", top, bottom)
        case "list_item":
            yield Line(BlockKind.LIST_ITEM, raw.text or "", top, bottom)
        case "code" | "grid_fallback":
            yield Line(BlockKind.CODE, "\n".join(raw.lines or ()), top, bottom)
        case "table":
            for cells in ([raw.header] if raw.header else []) + list(raw.rows or ()):
                tops = [cell.bbox.y for cell in cells if cell.bbox]
                bottoms = [cell.bbox.y + cell.bbox.height for cell in cells if cell.bbox]
                texts = tuple(cell.text.strip() for cell in cells)
                yield Line(
                    BlockKind.TABLE_ROW,
                    " | ".join(text for text in texts if text),
                    min(tops, default=top),
                    max(bottoms, default=bottom),
                    cells=texts,
                    lefts=tuple(cell.bbox.x if cell.bbox else inf for cell in cells),
                )


def _cleaned(text: str) -> str:
    return _DOT_LEADERS.sub(" ", _EMPHASIS.sub(r"\2", text)).strip()
