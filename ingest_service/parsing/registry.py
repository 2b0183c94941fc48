"""Which parser reads which kind of document. A new format is one function and one line here."""

from collections.abc import Callable
from importlib import import_module

from ingest_service.parsing import errors, media_types
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits

Parser = Callable[[bytes, ParsingLimits], ParsedDocument]


_PARSERS = {
    media_types.PDF: "pdf.layout.parse_pdf",
    media_types.PLAIN: "text.parse_text",
    media_types.MARKDOWN: "markup.markdown.parse_markdown",
    media_types.CSV: "office.csv_file.parse_csv",
    media_types.HTML: "markup.html_page.parse_html",
    media_types.XML: "markup.xml_text.parse_xml",
    media_types.SVG: "markup.xml_text.parse_xml",
    media_types.EML: "mail.message.parse_mail",
    media_types.DOCX: "office.word.parse_docx",
    media_types.PPTX: "office.slides.parse_pptx",
    media_types.XLSX: "office.sheets.parse_xlsx",
    media_types.ODS: "office.sheets.parse_ods",
    media_types.XLS: "office.sheets.parse_sheets",
    media_types.RTF: "office.legacy_office.parse_rtf",
    media_types.ODT: "office.legacy_office.parse_odt",
    media_types.EPUB: "markup.pandoc.parse_epub",
    media_types.DOC: "office.legacy_office.parse_doc",
    media_types.PPT: "office.legacy_office.parse_ppt",
    media_types.ODP: "office.legacy_office.parse_odp",
}
"""By name, so that a reading process loads no more libraries than its documents need, and the service none."""


def preload() -> None:
    """Load the libraries of the most frequent kinds, so that the first document does not wait for them."""
    parser_of(media_types.PDF)
    parser_of(media_types.MARKDOWN)


def parser_of(media_type: str) -> Parser | None:
    """The parser of a kind, with its libraries loaded; None where there is none."""
    if media_type not in _PARSERS:
        return None
    module, _, function = _PARSERS[media_type].rpartition(".")
    parser: Parser = getattr(import_module(f"ingest_service.parsing.{module}"), function)
    return parser


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
    if not data:
        raise errors.without_bytes()
    if media_type == media_types.ENCRYPTED_OFFICE:
        raise errors.protected()
    if media_type == media_types.PDF:
        from ingest_service.parsing.pdf.door import check_pdf

        check_pdf(data, limits)
    if media_type in media_types.ARCHIVES:
        from ingest_service.parsing.archive import check_archive

        check_archive(data, limits)
    if media_type in media_types.BY_LIBREOFFICE:
        from ingest_service.parsing.office.legacy_office import libreoffice

        libreoffice(media_type)
