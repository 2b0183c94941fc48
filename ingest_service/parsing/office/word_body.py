"""The body of a DOCX made plain: everything that a reader sees stands in paragraphs of the body itself.

unstructured (and python-docx below it) reads paragraphs and tables that stand directly in the body. Forms and cover
pages (content controls), text boxes, accepted changes, notes and formulas stand elsewhere, and were lost without a
word.
"""

from collections.abc import Iterable, Mapping, Sequence

from lxml import etree

from ingest_service.parsing.exponents import lowered, raised

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"

_GONE = (f"{MC}Fallback", f"{W}del", f"{W}moveFrom")
"""The same again for old programs, and what an author took out."""
_WRAPPINGS = tuple(
    [
        f"{W}{name}"
        for name in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml", "fldSimple", "dir", "bdo")
    ]
)
_WRAPPING_PROPERTIES = tuple(f"{W}{name}" for name in ("sdtPr", "sdtEndPr", "smartTagPr", "customXmlPr"))


def make_plain(body: etree._Element, notes: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    """Change the document's XML in place. `notes` are paragraphs by kind (`footnote`, `endnote`) and id; they follow
    the paragraph that refers to them."""
    etree.strip_elements(body, *_GONE, *_WRAPPING_PROPERTIES, with_tail=False)
    etree.strip_tags(body, *_WRAPPINGS)
    _tidy(body)
    _formulas_as_text(body)
    _spell_out_exponents(body)
    for kind, texts in notes.items():
        for reference in list(body.iter(f"{W}{kind}Reference")):
            _insert_after(reference, [_paragraph(text) for text in texts.get(reference.get(f"{W}id", ""), ())])
    for box in list(body.iter(f"{W}txbxContent")):
        _insert_after(box, [child for child in box if child.tag in {f"{W}p", f"{W}tbl"}])
    if next(body.iter(f"{W}lastRenderedPageBreak"), None) is None:
        _mark_pages(body)


def note_texts(notes: etree._Element, kind: str) -> dict[str, list[str]]:
    """The paragraphs of footnotes or endnotes by their id."""
    _spell_out_exponents(notes)
    return {
        note.get(f"{W}id", ""): [text for line in note.iter(f"{W}p") if (text := _text_of(line))]
        for note in notes.iter(f"{W}{kind}")
    }


def drop_hidden(part: etree._Element) -> bool:
    """Take out text that the author hid; whether there was any."""
    hidden = []
    for mark in part.iter(f"{W}vanish"):
        run = next(mark.iterancestors(f"{W}r"), None)
        if _is_on(mark) and run is not None and next(run.iter(f"{W}t"), None) is not None:
            hidden.append(run)
    for run in hidden:
        parent = run.getparent()
        if parent is not None:
            parent.remove(run)
    return bool(hidden)


def _text_of(paragraph: etree._Element) -> str:
    """In one line; tabs and breaks are spaces."""
    parts = (part.text or "" if part.tag == f"{W}t" else " " for run in paragraph.iter(f"{W}r") for part in run)
    return " ".join("".join(parts).split())


def _spell_out_exponents(part: etree._Element) -> None:
    for mark in part.iter(f"{W}vertAlign"):
        run = next(mark.iterancestors(f"{W}r"), None)
        write = {"superscript": raised, "subscript": lowered}.get(mark.get(f"{W}val", ""))
        if run is not None and write is not None:
            for text in run.findall(f"{W}t"):
                text.text = write(text.text or "")


def _tidy(body: etree._Element) -> None:
    """Drop paragraphs of nothing, which are spacing and cost the reader below as much as full ones; and end the last
    section, without which it stops after the section before."""
    for text in body.iter(f"{W}body"):
        for paragraph in text.findall(f"{W}p"):
            if len(paragraph) == 0:
                text.remove(paragraph)
        if text.find(f"{W}sectPr") is None:
            etree.SubElement(text, f"{W}sectPr")


def _insert_after(inner: etree._Element, paragraphs: Iterable[etree._Element]) -> None:
    """Put paragraphs after the paragraph that `inner` stands in."""
    host = next(inner.iterancestors(f"{W}p"), None)
    if host is None:
        return
    for paragraph in reversed(list(paragraphs)):
        host.addnext(paragraph)


def _formulas_as_text(body: etree._Element) -> None:
    for formula in list(body.iter(f"{MATH}oMath")):
        parent = formula.getparent()
        if parent is not None:
            run = _run(f"{W}t")
            run[0].text = "".join(formula.itertext(f"{MATH}t"))
            parent.replace(formula, run)
    etree.strip_tags(body, f"{MATH}oMathPara")


def _mark_pages(body: etree._Element) -> None:
    """Programs other than Word save no page breaks of the layout, so those that the author set must do."""
    for hard in list(body.iter(f"{W}br")):
        parent = hard.getparent()
        if parent is not None and hard.get(f"{W}type") == "page":
            parent.replace(hard, etree.Element(f"{W}lastRenderedPageBreak"))
    for properties in list(body.iter(f"{W}pPr")):
        paragraph = properties.getparent()
        if paragraph is None or paragraph.tag != f"{W}p":
            continue
        breaks = properties.find(f"{W}pageBreakBefore")
        if breaks is not None and _is_on(breaks) and paragraph.getprevious() is not None:
            properties.addnext(_run(f"{W}lastRenderedPageBreak"))
        following = paragraph.getnext()
        if _ends_page(properties.find(f"{W}sectPr")) and following is not None and following.tag == f"{W}p":
            own = following.find(f"{W}pPr")
            if own is None:
                following.insert(0, _run(f"{W}lastRenderedPageBreak"))
            elif not _starts_page(own):
                own.addnext(_run(f"{W}lastRenderedPageBreak"))


def _starts_page(properties: etree._Element) -> bool:
    found = properties.find(f"{W}pageBreakBefore")
    return found is not None and _is_on(found)


def _is_on(switch: etree._Element) -> bool:
    return switch.get(f"{W}val", "1") not in {"0", "false", "off"}


def _ends_page(section: etree._Element | None) -> bool:
    if section is None:
        return False
    kind = section.find(f"{W}type")
    return kind is None or kind.get(f"{W}val") != "continuous"


def _paragraph(text: str) -> etree._Element:
    paragraph = etree.Element(f"{W}p")
    paragraph.append(_run(f"{W}t"))
    paragraph[0][0].text = text
    return paragraph


def _run(content: str) -> etree._Element:
    run = etree.Element(f"{W}r")
    etree.SubElement(run, content)
    return run
