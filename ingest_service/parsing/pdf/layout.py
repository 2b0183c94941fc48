"""Digital PDFs by liteparse, this file being its only importer. What runs here runs in a reading process."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from liteparse import LiteParse, ParseError

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.pdf.broken_text import is_broken, without_mac_roman
from ingest_service.parsing.pdf.contents_list import is_contents_list, is_page_column, lines_of
from ingest_service.parsing.pdf.document import blocks_of
from ingest_service.parsing.pdf.door import document_title, pages_alone, repaired
from ingest_service.parsing.pdf.edge_lines import without_footer, without_header
from ingest_service.parsing.pdf.hyphens import kept_hyphens
from ingest_service.parsing.pdf.lines import EDGE, Line
from ingest_service.parsing.pdf.pages import PdfFacts, PdfPage, PdfWindow, page_ranges
from ingest_service.parsing.pdf.pdfium import has_more_than_text, mostly_images

_ENOUGH_CHARACTERS = 30
"""A page with fewer and with something to see on it is looked at by text recognition."""
_LONGEST_STAMP = 400
"""Characters; a page of images with fewer may be a scan that carries a signature or a page number as text."""

_WORD = re.compile(r"[^\W\d_]+")


def parse_pdf(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """A PDF inside another document (an attachment, what a converter made), read as a whole and as far as it has text;
    the note names pages that have none, or none that makes sense.

    Raises `ProtectedDocument`, `EmptyDocument`, `TooManyPages`, `BrokenDocument`.
    """
    data, pages = _opened(data, limits)
    window = _window(data, 1, pages)
    unread = page_ranges([*window.to_recognise, *window.failed])
    note = f"no text, or only part of it, on these pages: {unread}" if unread else ""
    return ParsedDocument(blocks=tuple(blocks_of(window.pages)), title=document_title(data), pages=pages, note=note)


def open_pdf(path: Path, copy: Path, limits: ParsingLimits, *, rebuild: bool) -> PdfFacts:
    """What is to be known before reading a page. A damaged PDF is repaired into `copy`; with `rebuild` any is, and of
    a sound one the pages alone.

    Raises `ProtectedDocument`, `EmptyDocument`, `TooManyPages`, or `BrokenDocument` when nothing can be repaired.
    """
    original = path.read_bytes()
    data, pages = _opened(pages_alone(original) if rebuild else original, limits)
    if data is not original:
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)
        path = copy
    return PdfFacts(path=path, pages=pages, title=document_title(data), repaired=data is not original)


def read_window(path: Path, first: int, last: int) -> PdfWindow:
    """The pages `first` to `last`, as far as each can be read. Raises `BrokenDocument` if none can."""
    return _window(path.read_bytes(), first, last)


def _opened(data: bytes, limits: ParsingLimits) -> tuple[bytes, int]:
    """The bytes, repaired if that is needed, and their number of pages."""
    try:
        pages = _count(data)
    except ParseError as error:
        if "password" in str(error):
            raise errors.protected() from error
        data = repaired(data)
        try:
            pages = _count(data)
        except ParseError as second:
            raise errors.broken() from second
    if pages == 0:
        raise errors.without_pages()
    if pages > limits.max_pages:
        raise errors.too_many_pages(pages, limits.max_pages)
    return data, pages


def _window(data: bytes, first: int, last: int) -> PdfWindow:
    try:
        pages = [_page(page) for page in _pages(_parser(f"{first}-{last}", last), data)]
    except ParseError as error:
        raise errors.broken() from error
    unread = has_more_than_text(data, [page.number for page in pages if page.characters < _ENOUGH_CHARACTERS])
    stamped = [page.number for page in pages if _ENOUGH_CHARACTERS <= page.characters < _LONGEST_STAMP]
    broken = {page.number for page in pages if is_broken(" ".join(line.text for line in page.lines))}
    return PdfWindow(
        pages=tuple(pages),
        to_recognise=tuple(sorted({*unread, *mostly_images(data, stamped), *broken})),
        failed=tuple(sorted({*range(first, last + 1)} - {page.number for page in pages})),
    )


def _pages(parser: LiteParse, data: bytes) -> Any:
    """What `parser.parse(data).pages` holds, without the copy of every text item that it makes: a tenth of the time
    that a page takes, and next to none of them is looked at here."""
    try:
        return parser._native.parse_bytes(data).pages
    except Exception as error:  # as the library itself does
        raise ParseError(str(error)) from error


def _count(data: bytes) -> int:
    """The number of pages; asking for a page behind the last one reads none."""
    found = _parser("1000000-1000000", 1).parse(data).total_pages
    return int(found)


def _parser(pages: str, max_pages: int) -> LiteParse:
    # Without max_pages liteparse stops at page 1000 and does not say so. Its own removal of headers and footers takes
    # telling first lines along ("Página 3: a válvula 3 é verde."), so ours does that.
    return LiteParse(
        extract_blocks=True,
        ocr_enabled=False,
        target_pages=pages,
        max_pages=max_pages,
        continue_on_page_error=True,
        keep_headers_footers=True,
        quiet=True,
    )


@dataclass(frozen=True, slots=True)
class _Content:
    """What a page holds; liteparse makes both lists anew whenever they are asked for."""

    blocks: Sequence[Any]
    text_items: Sequence[Any]


def _page(native: Any) -> PdfPage:
    page = _Content(native.blocks or (), native.text_items)
    blocks = [raw for raw in page.blocks if raw.kind not in {"rule", "figure"}]
    found = [tuple(_lines(raw, page)) for raw in blocks]
    if blocks and _is_prose(blocks[0], found[0]) and blocks[0].bbox.y < EDGE * native.height:
        found[0] = without_header(found[0][0], lines_of(blocks[0], page), native.height)
    if blocks and _is_prose(blocks[-1], found[-1][-1:]):
        found[-1] = found[-1][:-1] + without_footer(found[-1][-1], lines_of(blocks[-1], page), native.height)
    lines = without_mac_roman([line for part in found for line in part])
    if compounds := kept_hyphens([item.text for item in page.text_items]):
        lines = [
            replace(line, text=_WORD.sub(lambda word: compounds.get(word[0], word[0]), line.text)) for line in lines
        ]
    return PdfPage(
        number=native.page_num,
        label=native.page_label or None,
        lines=tuple(lines),
        characters=sum(len("".join(line.text.split())) for line in lines),
        height=native.height,
    )


def _is_prose(raw: Any, lines: Sequence[Line]) -> bool:
    return raw.bbox is not None and len(lines) == 1 and lines[0].kind == BlockKind.PARAGRAPH


def _lines(raw: Any, page: Any) -> Iterator[Line]:
    """A layout block with its place on the page; tables and contents lists as their rows. Rules and figures have no
    text."""
    top = raw.bbox.y if raw.bbox else 0.0
    bottom = top + raw.bbox.height if raw.bbox else 0.0
    match raw.kind:
        case "heading":
            yield Line(BlockKind.HEADING, raw.text or "", top, bottom, level=raw.level or 1, size=_font_size(raw, page))
        case "paragraph" if is_page_column(raw, page.blocks):
            return
        case "paragraph" if is_contents_list(raw, page.blocks):
            yield from (Line(BlockKind.LIST_ITEM, *line) for line in lines_of(raw, page))
        case "paragraph":
            yield Line(BlockKind.PARAGRAPH, raw.text or "", top, bottom)
        case "list_item":
            # A bullet says nothing, `a)` is what others refer to.
            marker = f"{raw.marker} " if any(map(str.isalnum, raw.marker or "")) else ""
            yield Line(BlockKind.LIST_ITEM, marker + (raw.text or ""), top, bottom)
        case "code" | "grid_fallback":
            yield Line(BlockKind.CODE, "\n".join(raw.lines or ()), top, bottom)
        case "table":
            rows = ([raw.header] if raw.header else []) + list(raw.rows or ())
            for number, cells in enumerate(rows):
                yield _row(cells, top, bottom, opens=number == 0)


def _row(cells: Any, top: float, bottom: float, *, opens: bool) -> Line:
    tops = [cell.bbox.y for cell in cells if cell.bbox]
    bottoms = [cell.bbox.y + cell.bbox.height for cell in cells if cell.bbox]
    texts = tuple(cell.text.strip() for cell in cells)
    return Line(
        BlockKind.TABLE_ROW,
        " | ".join(text for text in texts if text),
        min(tops, default=top),
        max(bottoms, default=bottom),
        cells=texts,
        lefts=tuple(cell.bbox.x if cell.bbox else inf for cell in cells),
        opens_table=opens,
    )


def _font_size(block: Any, page: Any) -> float:
    """In points, to the half; 0 when the page does not say."""
    if block.bbox is None:
        return 0.0
    top, bottom = block.bbox.y - 1, block.bbox.y + block.bbox.height + 1
    sizes = [
        item.font_size
        for item in page.text_items
        if item.font_size and top <= item.y and item.y + item.height <= bottom and item.x >= block.bbox.x - 1
    ]
    return round(2 * max(sizes, default=0.0)) / 2
