"""Headings of a DOCX by their outline level, whatever their style is called.

The reader below goes by the English names of Word's own styles. Templates bring styles of their own ("Capítulo"), and
other programs mark a paragraph as a heading without any style.
"""

from lxml import etree

from ingest_service.parsing.office.word_body import W

_VALUE = f"{W}val"
_ADDED_STYLE = "OutlineLevel"
_DEEPEST_CHAIN = 20
_BODY_TEXT = 9
"""The outline level of text that is no heading."""


def name_headings(styles: etree._Element, body: etree._Element) -> None:
    """Call every style with an outline level `heading 1` to `heading 9`, and give such a style to paragraphs that
    carry the level themselves. Changes both in place."""
    by_id = {style.get(f"{W}styleId", ""): style for style in styles.iter(f"{W}style")}
    headings: set[str] = set()
    for style_id, style in by_id.items():
        level = _level_of_style(style, by_id)
        name = style.find(f"{W}name")
        if level is not None and name is not None:
            headings.add(style_id)
            # Word's own title has no level, and keeps its name.
            name.set(_VALUE, f"heading {level + 1}")
    levels: set[int] = set()
    for properties in body.iter(f"{W}pPr"):
        level = _own_level(properties)
        used = properties.find(f"{W}pStyle")
        if level is None or (used is not None and used.get(_VALUE) in headings):
            continue
        levels.add(level)
        if used is None:
            used = etree.Element(f"{W}pStyle")
            properties.insert(0, used)
        used.set(_VALUE, f"{_ADDED_STYLE}{level}")
    for level in levels:
        style = etree.SubElement(styles, f"{W}style")
        style.set(f"{W}type", "paragraph")
        style.set(f"{W}styleId", f"{_ADDED_STYLE}{level}")
        etree.SubElement(style, f"{W}name").set(_VALUE, f"heading {level + 1}")


def _level_of_style(style: etree._Element | None, by_id: dict[str, etree._Element]) -> int | None:
    for _ in range(_DEEPEST_CHAIN):
        if style is None or style.get(f"{W}type") != "paragraph":
            return None
        properties = style.find(f"{W}pPr")
        if properties is not None and properties.find(f"{W}outlineLvl") is not None:
            return _own_level(properties)
        parent = style.find(f"{W}basedOn")
        style = None if parent is None else by_id.get(parent.get(_VALUE, ""))
    return None


def _own_level(properties: etree._Element) -> int | None:
    found = properties.find(f"{W}outlineLvl")
    value = "" if found is None else found.get(_VALUE, "")
    return int(value) if value.isdecimal() and int(value) < _BODY_TEXT else None
