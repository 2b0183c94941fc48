"""Elements of HTML whose meaning is in their place, and would be lost in plain text."""

from lxml import etree, html

from ingest_service.parsing.exponents import lowered, raised


def spell_out_exponents(root: html.HtmlElement) -> None:
    """Write what is raised or lowered as characters that are. The mark of a note stands apart from its word."""
    for element in list(root.iter("sup", "sub")):
        if element.getparent() is None:
            continue
        write = raised if element.tag == "sup" else lowered
        text = write(element.text_content())
        if element.tag == "sup" and next(element.iter("a"), None) is not None:
            text = f" {text.lstrip()}"
        for child in list(element):
            element.remove(child)
        element.text = text
        element.drop_tag()


def captions_as_paragraphs(root: html.HtmlElement) -> None:
    """Put the caption of a table above it; the next parser drops it."""
    for caption in list(root.iter("caption")):
        table = next(caption.iterancestors("table"), None)
        text = " ".join(caption.text_content().split())
        caption.drop_tree()
        if table is not None and text:
            paragraph = etree.Element("p")
            paragraph.text = text
            table.addprevious(paragraph)
