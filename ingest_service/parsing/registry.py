"""Which parser reads which kind of document. A new format is one function and one line here."""

from collections.abc import Callable

from ingest_service.parsing import errors, media_types
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits

Parser = Callable[[bytes, ParsingLimits], ParsedDocument]


def preload() -> None:
    """Load the libraries of the most frequent kinds, so that the first document does not wait for them."""
    parser_of(media_types.PDF)
    parser_of(media_types.MARKDOWN)


def parser_of(media_type: str) -> Parser | None:
    """The parser of a kind, None where there is none. Its libraries are loaded here and now, so that a reading process
    holds no more of them than its documents need, and the service none."""
    match media_type:
        case media_types.PDF:
            from ingest_service.parsing.pdf import parse_pdf

            return parse_pdf
        case media_types.PLAIN:
            from ingest_service.parsing.text import parse_text

            return parse_text
        case media_types.MARKDOWN:
            from ingest_service.parsing.markdown import parse_markdown

            return parse_markdown
    return None


def parse(data: bytes, media_type: str, limits: ParsingLimits) -> ParsedDocument:
    """Read a document. Raises an `UnreadableDocument` that says why it cannot be read."""
    if not data:
        raise errors.without_bytes()
    if media_type == media_types.ENCRYPTED_OFFICE:
        raise errors.protected()
    parser = parser_of(media_type)
    if parser is None:
        raise errors.without_parser(media_type)
    return parser(data, limits)


def check(data: bytes, media_type: str, limits: ParsingLimits) -> None:
    """Raise what is wrong with a document as far as it can be seen in milliseconds."""
    from ingest_service.parsing.pdf_door import check_pdf

    if not data:
        raise errors.without_bytes()
    if media_type == media_types.ENCRYPTED_OFFICE:
        raise errors.protected()
    if media_type == media_types.PDF:
        check_pdf(data, limits)
