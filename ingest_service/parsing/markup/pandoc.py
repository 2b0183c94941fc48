"""RTF, ODT and EPUB by pandoc, the program that pypandoc brings along, this file being its only importer."""

import re
import tempfile
from dataclasses import replace
from pathlib import Path

import pypandoc

from ingest_service.parsing import errors, programs
from ingest_service.parsing.archive import verified_members, with_members
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.markup.html_page import parse_markup

_ODT_STYLES = "styles.xml"
"""pandoc wants it, although the standard leaves it to the document."""
_NO_STYLES = (
    b'<o:document-styles xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0"><o:styles/></o:document-styles>'
)
_NOTES = re.compile(r"""(<(?:section|aside|div)[^>]*\bclass="footnotes[ "][^>]*>)""")
"""All notes come last, and would be taken for a part of the last chapter."""
_NOTES_HEADING = "Notas"


def parse_rtf(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """Raises `BrokenDocument`, and `ParserDied` out of time."""
    return _read(data, "rtf", limits)


def parse_odt(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """As `parse_rtf`, after the guard for archives."""
    if _ODT_STYLES not in verified_members(data, limits):
        data = with_members(data, {_ODT_STYLES: _NO_STYLES})
    return _read(data, "odt", limits)


def parse_epub(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """As `parse_odt`."""
    verified_members(data, limits)
    return _read(data, "epub", limits)


def _read(data: bytes, kind: str, limits: ParsingLimits) -> ParsedDocument:
    with tempfile.TemporaryDirectory() as folder:
        # --sandbox: the document cannot make it open any other file.
        done = programs.run(
            [pypandoc.get_pandoc_path(), "--sandbox", "--quiet", "-s", "--wrap=none", "-f", kind, "-t", "html5"],
            folder=Path(folder),
            stdin=data,
            limits=limits,
        )
    if done.returncode:
        raise errors.broken()
    page = done.stdout.decode("utf-8", errors="replace")
    level = 1 if page.count("<h1") > 1 else 2
    document = parse_markup(_NOTES.sub(rf"\1<h{level}>{_NOTES_HEADING}</h{level}>", page, count=1))
    if document.blocks and document.blocks[-1].text == _NOTES_HEADING:  # references to notes that are not there
        document = replace(document, blocks=document.blocks[:-1])
    # Where a document has no title, pandoc's page is called after the standard input.
    return replace(document, title="" if document.title == "-" else document.title)
