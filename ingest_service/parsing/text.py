"""Plain text: paragraphs stand between blank lines."""

import re
from collections.abc import Iterator

from ingest_service.parsing.blocks import Block, BlockKind, ParsedDocument

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_PAGE_BREAK = "\f"


def decode(data: bytes) -> str:
    """Text of a file: UTF-8 (with or without mark), UTF-16 with mark, else Windows-1252, as old Portuguese files are.

    No guessing by statistics: that reads `produção` as `produçăo`. Line ends become `\\n`.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            # Five byte values are unassigned in Windows-1252; they become U+FFFD rather than an error.
            text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_text(data: bytes) -> ParsedDocument:
    """One block for each paragraph; line breaks inside it stay."""
    return ParsedDocument(blocks=tuple(_paragraphs(decode(data))))


def _paragraphs(text: str) -> Iterator[Block]:
    for part in _BLANK_LINES.split(text.replace(_PAGE_BREAK, "\n\n")):
        if part.strip():
            yield Block(kind=BlockKind.PARAGRAPH, text=part.strip())
