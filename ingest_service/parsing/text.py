"""Plain text: paragraphs stand between blank lines, pages between form feeds."""

import re
from collections.abc import Iterator

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import Block, BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.encodings import decode

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_PAGE_BREAK = "\f"


def parse_text(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """One block for each paragraph; line breaks inside it stay. Pages only where form feeds mark them, as plain-text
    exports do. Raises `TooManyPages`."""
    pages = decode(data).removesuffix(_PAGE_BREAK).split(_PAGE_BREAK)
    if len(pages) == 1:
        return ParsedDocument(blocks=tuple(_paragraphs(pages[0], None)))
    if len(pages) > limits.max_pages:
        raise errors.too_many_pages(len(pages), limits.max_pages)
    blocks = tuple(block for number, page in enumerate(pages, 1) for block in _paragraphs(page, number))
    return ParsedDocument(blocks=blocks, pages=len(pages))


def _paragraphs(text: str, page: int | None) -> Iterator[Block]:
    for part in _BLANK_LINES.split(text):
        if part.strip():
            yield Block(kind=BlockKind.PARAGRAPH, text=part.strip(), page=page)
