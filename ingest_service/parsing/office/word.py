"""DOCX: headings by their styles, lists, tables, notes and text boxes, pages where page breaks were saved."""

from ingest_service.parsing import errors
from ingest_service.parsing.archive import member, verified_members, with_members
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.markup.html_page import title_of_blocks
from ingest_service.parsing.office.ooxml import (
    CONTENT_TYPES,
    in_common_dialect,
    malformed_is_broken,
    parsed,
    plain_content_types,
    serialised,
    title_in_properties,
)
from ingest_service.parsing.office.word_body import drop_hidden, make_plain, note_texts
from ingest_service.parsing.office.word_outline import name_headings
from ingest_service.parsing.partitioners import docx_blocks

_BODY = "word/document.xml"
_STYLES = "word/styles.xml"


def parse_docx(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """Macros are never looked at. Raises `ProtectedDocument`, `TooLargeUnpacked`, or `BrokenDocument`."""
    names = verified_members(data, limits)
    if _BODY not in names or CONTENT_TYPES not in names:
        raise errors.broken()
    data = in_common_dialect(data, _BODY)
    body = parsed(member(data, _BODY))
    hidden = drop_hidden(body)
    notes = {
        kind: note_texts(parsed(member(data, part)), kind)
        for kind, part in (("footnote", "word/footnotes.xml"), ("endnote", "word/endnotes.xml"))
        if part in names
    }
    make_plain(body, notes)
    changed = {CONTENT_TYPES: plain_content_types(data)}
    if _STYLES in names:
        styles = parsed(member(data, _STYLES))
        name_headings(styles, body)
        changed[_STYLES] = serialised(styles)
    package = with_members(data, {**changed, _BODY: serialised(body)})
    with malformed_is_broken():
        blocks = tuple(docx_blocks(package))
    return ParsedDocument(
        blocks=blocks,
        title=title_in_properties(data) or title_of_blocks(blocks),
        pages=max((block.page for block in blocks if block.page), default=None),
        note="Hidden text was left out." if hidden else "",
    )
