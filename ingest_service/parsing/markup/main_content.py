"""The main content of a web page as clean HTML: what a reader came for, without menus, scripts and numbers of the day.

The same article gives the same bytes whatever surrounds it, so a page that only shows another advertisement is no new
version. Runs in the reading process; nothing is fetched.
"""

import re
from copy import deepcopy
from dataclasses import dataclass
from html import escape

from lxml import etree, html

from ingest_service.names import clean_line
from ingest_service.parsing import errors
from ingest_service.parsing.markup.html_inline import captions_as_paragraphs, spell_out_exponents

MAX_TITLE_CHARS = 300
ENOUGH_WORDS = 40
"""With fewer the extraction is not believed, unless it holds most of what there is."""
ENOUGH_SHARE = 0.5
CONTENT_SHARE = 0.7
"""With fewer of the words that the page itself marks as its content the extraction is not believed either."""
LOST_HEADINGS = 1 / 3
"""With more of them lost the extraction is not believed: it took a list of articles or questions for one article."""
_NO_TEXT = ("script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "head", "link", "meta")
_SURROUNDINGS = ("nav", "footer", "aside")
_PLAIN = {"details": "div", "summary": "h3", "figure": "div", "figcaption": "p"}
_CONTENT = "//main | //article"
_BLOCKS = ("p", "ul", "ol", "dl", "table", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_HINTS = ("id", "class", "role", "style", "itemprop", "href", "aria-hidden")
"""Attributes by which the extraction tells content from surroundings."""
_KEPT_ATTRIBUTES = ("colspan", "rowspan")
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page as it is kept. `canonical` is what it calls its own address, or empty."""

    title: str
    canonical: str
    document: bytes


def read_page(data: bytes, content_type: str) -> WebPage:
    """The main content of a page, or all its text where that cannot be told apart. `content_type` is the header.

    Raises `EmptyDocument` for a page without a word, `BrokenDocument` for one that cannot be parsed.
    """
    from ingest_service.parsing.markup.html_page import decode_html  # which loads unstructured

    text = _XML_DECLARATION.sub("", decode_html(data, content_type))
    try:
        # huge_tree: without it libxml2 silently drops what lies deeper than 255 elements.
        parser = html.HTMLParser(remove_comments=True, remove_pis=True, huge_tree=True)
        whole = html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise errors.EmptyDocument("There is not a word on the page.") from error
    canonical = next(iter(whole.xpath("//link[@rel='canonical']/@href")), "")
    title = _title(whole)
    _simplify(whole)
    extracted = _extracted(deepcopy(whole))
    _drop_surroundings(whole)
    if not whole.text_content().strip():
        raise errors.EmptyDocument("There is not a word on the page; it may be drawn by a script.")
    content = whole if extracted is None or _lost_too_much(extracted, whole) else extracted
    return WebPage(title, str(canonical), _document(title, content))


def _simplify(page: html.HtmlElement) -> None:
    """Keep what the extraction looks at, and write what it would drop as what it keeps. Questions that unfold their
    answers become headings over text."""
    spell_out_exponents(page)
    captions_as_paragraphs(page)
    for element in list(page.iter()):
        element.tag = _PLAIN.get(element.tag, element.tag)
        _keep(element, _HINTS + _KEPT_ATTRIBUTES)
    etree.strip_tags(page, "time")
    for division in page.xpath(f"({_CONTENT})//div[text()[normalize-space()]]"):
        if next(division.iter(*_BLOCKS), None) is None and division.find(".//div") is None:
            division.tag = "p"


def _extracted(page: html.HtmlElement) -> html.HtmlElement | None:
    import trafilatura  # a second and 40 MB, which only the reading process shall spend

    found = trafilatura.extract(
        page,
        output_format="html",
        favor_recall=True,
        include_comments=False,
        include_tables=True,
        include_links=False,
        include_images=False,
    )
    return html.document_fromstring(found) if found else None


def _drop_surroundings(page: html.HtmlElement) -> None:
    """Take away what is not text, what stands around it, and what changes from visit to visit."""
    for element in list(page.iter()):
        if element.tag in _NO_TEXT or element.tag in _SURROUNDINGS:
            if element.getparent() is not None:
                element.drop_tree()
        else:
            _keep(element, _KEPT_ATTRIBUTES)


def _lost_too_much(extracted: html.HtmlElement, whole: html.HtmlElement) -> bool:
    found, there = len(extracted.text_content().split()), len(whole.text_content().split())
    if found < ENOUGH_WORDS and found < ENOUGH_SHARE * there:
        return True
    if found < CONTENT_SHARE * len(" ".join(whole.xpath(f"({_CONTENT})//text()")).split()):
        return True
    before, after = _headings(whole), _headings(extracted)
    return len(before - after) > max(1.0, LOST_HEADINGS * len(before))


def _headings(page: html.HtmlElement) -> set[str]:
    return {clean_line(heading.text_content()) for heading in page.iter(*_HEADINGS)}


def _keep(element: html.HtmlElement, names: tuple[str, ...]) -> None:
    kept = {name: value for name in names if (value := element.get(name)) is not None}
    element.attrib.clear()
    element.attrib.update(kept)


def _title(page: html.HtmlElement) -> str:
    named = page.xpath("//meta[@property='og:title']/@content") + page.xpath("//head/title/text()")
    return next((clean_line(str(title))[:MAX_TITLE_CHARS] for title in named if str(title).strip()), "")


def _document(title: str, content: html.HtmlElement) -> bytes:
    body = content.find("body")
    inner = html.tostring(content if body is None else body, encoding="unicode", with_tail=False)
    head = f'<head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    return f"<!DOCTYPE html>\n<html>{head}\n{inner}\n</html>\n".encode()
