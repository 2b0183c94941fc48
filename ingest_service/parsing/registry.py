"""Which parser reads which kind of document. A new format is one function and one line here."""

from collections.abc import Callable, Mapping

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.sniff import MARKDOWN, PDF, PLAIN

Parser = Callable[[bytes, ParsingLimits], ParsedDocument]
Check = Callable[[bytes, ParsingLimits], None]


def parsers() -> Mapping[str, Parser]:
    """Parsers by media type. Imported here, so that only the reading process loads their libraries."""
    from ingest_service.parsing.markdown import parse_markdown
    from ingest_service.parsing.pdf import parse_pdf
    from ingest_service.parsing.text import parse_text

    return {
        PDF: parse_pdf,
        PLAIN: lambda data, _: parse_text(data),
        MARKDOWN: lambda data, _: parse_markdown(data),
    }


def parse(data: bytes, media_type: str, limits: ParsingLimits) -> ParsedDocument:
    """Read a document. Raises an `UnreadableDocument` that says why it cannot be read."""
    if not data:
        raise errors.without_bytes()
    return parsers()[media_type](data, limits)


def check(data: bytes, media_type: str, limits: ParsingLimits) -> None:
    """Raise what is wrong with a document as far as it can be seen in milliseconds."""
    from ingest_service.parsing.pdf_door import check_pdf

    if not data:
        raise errors.without_bytes()
    if media_type == PDF:
        check_pdf(data, limits)
