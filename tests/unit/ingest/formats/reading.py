"""Reading bytes as the service does: sniffed, then parsed by the registry."""

from ingest_service.parsing.blocks import BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.registry import parse
from ingest_service.parsing.sniff import sniff

LIMITS = ParsingLimits(max_pages=50, timeout_s=60, memory_mb=2048, max_unpacked_mb=64)


def read(data: bytes, name: str = "documento", limits: ParsingLimits = LIMITS) -> ParsedDocument:
    return parse(data, sniff(data, name), limits)


def texts(document: ParsedDocument) -> list[str]:
    return [block.text for block in document.blocks]


def outline(document: ParsedDocument) -> list[tuple[int, str]]:
    """Its headings with their levels."""
    return [(block.level, block.text) for block in document.blocks if block.kind == BlockKind.HEADING]


def on_pages(document: ParsedDocument) -> list[tuple[int | None, str]]:
    return [(block.page, block.text) for block in document.blocks]
