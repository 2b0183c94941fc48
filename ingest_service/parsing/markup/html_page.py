"""HTML pages: decoded as browsers do, rid of what is not text, and read by unstructured."""

import re

from lxml import etree, html

from ingest_service.parsing import encodings, errors
from ingest_service.parsing.blocks import Block, BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.markup.html_inline import captions_as_paragraphs, spell_out_exponents
from ingest_service.parsing.markup.html_tables import spell_out_spans
from ingest_service.parsing.partitioners import html_blocks
from ingest_service.parsing.titles import own_title

_NOT_TEXT = frozenset(
    [
        "script",
        "style",
        "template",
        "noscript",
        "nav",
        "iframe",
        "frame",
        "object",
        "embed",
        "applet",
        "svg",
        "math",
        "button",
        "select",
        "textarea",
        "dialog",
        "base",
        "link",
        "meta",
    ]
)
# unstructured drops these with all they hold, and whole sites stand in one form.
_CONTAINERS = frozenset(["form", "fieldset", "figure", "figcaption", "details", "summary"])
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# Numbers and arrows of notes that pandoc puts into sentences.
_NOTE_MARKS = frozenset(("footnote-ref", "footnote-back"))
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9._:-]+)""")
# What stands before the first element of a page. Of a DOCTYPE with declarations in it the parser keeps the end as text.
_PROLOGUE = re.compile(r"\A\s*(?:<\?xml[^>]*\?>\s*)?(?:<!DOCTYPE[^>\[]*\[.*?\]\s*>)?", re.DOTALL | re.IGNORECASE)
_DECLARED_WITHIN_BYTES = 4096
_DEEPEST = 200
"""libxml2 silently drops what lies deeper than 255 elements, and old pages that never close a tag reach that."""
_DEEPEST_READ = 2000


def parse_html(data: bytes, _: ParsingLimits) -> ParsedDocument:
    """The visible text of a page. Scripts, styles, menus and hidden parts are left out; nothing is fetched.

    Raises `BrokenDocument` when it nests too deeply to be read.
    """
    return parse_markup(decode_html(data))


def parse_markup(text: str) -> ParsedDocument:
    """As `parse_html`, of a page that is text already."""
    if not text.strip():
        return ParsedDocument(blocks=())
    try:
        # entities of a DOCTYPE are none of HTML's business: this parser knows the named characters and no others
        root = html.document_fromstring(_PROLOGUE.sub("", text), parser=_parser())
    except etree.ParserError:  # nothing but comments
        return ParsedDocument(blocks=())
    title = own_title(" ".join(root.xpath("string(//head/title)").split()))
    _keep_text(root)
    spell_out_exponents(root)
    captions_as_paragraphs(root)
    spell_out_spans(root)
    blocks = tuple(html_blocks(html.tostring(root, encoding="unicode")))
    return ParsedDocument(blocks=blocks, title=title or title_of_blocks(blocks))


def title_of_blocks(blocks: tuple[Block, ...]) -> str:
    """The heading that a document opens with, if no other is as high: then it is what the whole is called."""
    if not blocks or blocks[0].kind != BlockKind.HEADING:
        return ""
    highest = min(block.level for block in blocks if block.kind == BlockKind.HEADING)
    same = sum(block.kind == BlockKind.HEADING and block.level == highest for block in blocks)
    return blocks[0].text if blocks[0].level == highest and same == 1 else ""


def decode_html(data: bytes, content_type: str = "") -> str:
    """Text of a page: by its mark, as UTF-8 if it is that, else by what its HTTP header or it declares, else as
    Windows-1252.

    UTF-8 goes before the declaration, because servers translate pages without correcting it, and no text in another
    encoding is valid UTF-8 by accident.
    """
    if (
        encodings.utf16(data) is None
        and not _is_utf8(data)
        and (declared := _declared(content_type.encode() + b"\n" + data[:_DECLARED_WITHIN_BYTES]))
    ):
        return data.decode(declared, errors="replace")
    return encodings.decode(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _declared(head: bytes) -> str | None:
    found = _DECLARED.search(head)
    if not found:
        return None
    name = encodings.charset(found[1].decode())
    return None if name is None or name.startswith("utf") else name


def _parser() -> html.HTMLParser:
    # Its limit of depth is lifted to 2,048, beyond which it drops the rest and says so only in its log.
    return html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True, no_network=True)


def _keep_text(root: html.HtmlElement) -> None:
    """Remove what is not text, and undo nesting that the next parser would drop."""
    depths = {root: 0}
    too_deep: list[html.HtmlElement] = []
    dropped: list[html.HtmlElement] = []
    for element in root.iter():
        parent = element.getparent()
        depths[element] = 0 if parent is None else depths[parent] + 1
        if element.tag in _NOT_TEXT or _is_hidden(element):
            dropped.append(element)
        elif element.tag in _CONTAINERS:
            element.tag = "div"
        if depths[element] > _DEEPEST:
            too_deep.append(element)
    if depths and max(depths.values()) > _DEEPEST_READ:
        raise errors.nested_too_deeply()
    for element in dropped:
        if element.getparent() is not None:
            element.drop_tree()
    for element in reversed(too_deep):
        if element.getparent() is not None:
            element.drop_tag()


def _is_hidden(element: html.HtmlElement) -> bool:
    return (
        "hidden" in element.attrib
        or bool(_HIDDEN.search(element.get("style", "")))
        or bool(_NOTE_MARKS.intersection(element.get("class", "").split()))
        or element.get("id") == "title-block-header"
    )
