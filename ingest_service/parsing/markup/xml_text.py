"""SVG and other XML as the text a reader would find in it: no entity is resolved, nothing is fetched."""

from collections.abc import Iterator

from lxml import etree

from ingest_service.parsing.blocks import Block, BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.office.ooxml import parsed

_NOT_TEXT = ("{*}script", "{*}style", "{*}metadata")


def parse_xml(data: bytes, _: ParsingLimits) -> ParsedDocument:
    """One paragraph for each element that has text of its own, with all that stands in it. Raises `BrokenDocument`."""
    root = parsed(data.strip())
    etree.strip_elements(root, *_NOT_TEXT, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    title = next((" ".join(element.itertext()) for element in root.iterchildren("{*}title")), "")
    return ParsedDocument(blocks=tuple(_blocks(root)), title=" ".join(title.split()))


def _blocks(root: etree._Element) -> Iterator[Block]:
    waiting = [root]
    while waiting:
        element = waiting.pop()
        own = [element.text or "", *(child.tail or "" for child in element)]
        if any(text.strip() for text in own):
            yield Block(kind=BlockKind.PARAGRAPH, text=" ".join(" ".join(element.itertext()).split()))
        else:
            waiting.extend(reversed(element))
