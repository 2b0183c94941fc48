"""PPTX: a slide is a page, its title a heading."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from ingest_service.parsing import errors
from ingest_service.parsing.archive import member, verified_members, with_members
from ingest_service.parsing.blocks import Block, BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.office.ooxml import (
    CONTENT_TYPES,
    in_common_dialect,
    malformed_is_broken,
    parsed,
    plain_content_types,
    title_in_properties,
)
from ingest_service.parsing.office.slide_extras import NotAPresentation, extra_blocks
from ingest_service.parsing.partitioners import pptx_blocks

_PRESENTATION = "ppt/presentation.xml"
_SLIDE = "{http://schemas.openxmlformats.org/presentationml/2006/main}sldId"


def parse_pptx(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """Text of all slides and the speaker's notes. Macros are never looked at.

    Raises `ProtectedDocument`, `TooLargeUnpacked`, `TooManyPages`, or `BrokenDocument`.
    """
    names = verified_members(data, limits)
    if _PRESENTATION not in names or CONTENT_TYPES not in names:
        raise errors.broken()
    data = in_common_dialect(data, _PRESENTATION)
    slides = sum(1 for _ in parsed(member(data, _PRESENTATION)).iter(_SLIDE))
    if slides > limits.max_pages:
        raise errors.too_many_pages(slides, limits.max_pages)
    package = with_members(data, {CONTENT_TYPES: plain_content_types(data)})
    with malformed_is_broken(NotAPresentation):
        found = [*pptx_blocks(package), *extra_blocks(package)]
    blocks = tuple(_headed(sorted(found, key=lambda block: block.page or 0)))
    title = title_in_properties(data) or next((block.text for block in blocks[:1] if block.level), "")
    return ParsedDocument(blocks=blocks, title=title, pages=slides)


def _headed(blocks: Iterable[Block]) -> Iterator[Block]:
    """Each slide begins with its title wherever that stands on it; one without gets a heading all the same, so that
    its text does not go under the title of the slide before."""
    for page, found in groupby(blocks, key=lambda block: block.page):
        slide = list(found)
        headings = [block for block in slide if block.kind == BlockKind.HEADING]
        yield from headings or [Block(kind=BlockKind.HEADING, text=f"Slide {page}", level=1, page=page)]
        yield from (block for block in slide if block.kind != BlockKind.HEADING)
