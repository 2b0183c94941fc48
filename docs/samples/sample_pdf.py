"""Set a parsed sample as an A4 PDF: title page with contents, then one section per page or more.

Only the PDF base fonts are used (no font file to ship), and `invariant=1` fixes dates and identifiers: the
same source gives the same bytes, and a rebuild does not show up as a change in git.
"""

import re
from io import BytesIO
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    HRFlowable,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)
from reportlab.platypus.tableofcontents import TableOfContents
from sample_markdown import Block, Sample

PUBLISHER = "xgtwin - documentos de exemplo"
CONTENTS_TITLE = "Neste documento"

_MARKUP = re.compile(r"<[^>]+>|&\w+;")

_INK, _ACCENT, _SOFT, _RULE = (HexColor(value) for value in ("#1c2733", "#0b5a8a", "#eef4f8", "#b9c9d6"))
_PAGE_WIDTH, _PAGE_HEIGHT = A4
_MARGIN = 22 * mm
_TEXT_WIDTH = _PAGE_WIDTH - 2 * _MARGIN


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    settings: dict[str, Any] = {
        "fontName": "Helvetica",
        "fontSize": size,
        "leading": size * 1.42,
        "textColor": _INK,
    }
    return ParagraphStyle(name, **(settings | more))


_BOLD = {"fontName": "Helvetica-Bold", "textColor": _ACCENT, "keepWithNext": 1}
_STYLES = {
    "title": _style("title", 28, **(_BOLD | {"leading": 34, "spaceBefore": 18 * mm, "spaceAfter": 4 * mm})),
    "subtitle": _style("subtitle", 13, spaceAfter=6 * mm),
    "section": _style("section", 20, **(_BOLD | {"leading": 25, "spaceAfter": 4 * mm})),
    "heading": _style("heading", 14, **(_BOLD | {"spaceBefore": 4 * mm, "spaceAfter": 1.5 * mm})),
    "subheading": _style("subheading", 11.5, **(_BOLD | {"spaceBefore": 3 * mm, "spaceAfter": 1 * mm})),
    "paragraph": _style("paragraph", 10.5, spaceAfter=2.6 * mm),
    "bullet": _style("bullet", 10.5, leftIndent=5 * mm, bulletIndent=1 * mm, spaceAfter=1.6 * mm),
    "cell": _style("cell", 9.2, leading=12),
    "head": _style("head", 9.2, leading=12, fontName="Helvetica-Bold", textColor=HexColor("#ffffff")),
    "contents": _style("contents", 10.5, leading=17),
}


class _SampleDocument(BaseDocTemplate):  # type: ignore[misc,unused-ignore]
    """Draws the running header and the page number, and tells the contents where each section begins."""

    def __init__(self, target: BytesIO, sample: Sample) -> None:
        super().__init__(
            target, pagesize=A4, invariant=1, lang="pt-BR", title=sample.title, subject=sample.subject,
            author="xgtwin", creator="docs/samples/build.py",
        )  # fmt: skip
        self._running_title = sample.title
        height = _PAGE_HEIGHT - 46 * mm
        frame = Frame(_MARGIN, 20 * mm, _TEXT_WIDTH, height, id="text", leftPadding=0, rightPadding=0)
        self.addPageTemplates(PageTemplate(id="page", frames=[frame], onPage=self._draw_margins))

    def _draw_margins(self, canvas: Canvas, document: BaseDocTemplate) -> None:
        """Page 1 carries the title itself, so the header would only repeat it."""
        page = canvas.getPageNumber()
        canvas.saveState()
        canvas.setStrokeColor(_RULE)
        canvas.setFillColor(_ACCENT if page == 1 else _INK)
        canvas.setFont("Helvetica", 8.5)
        if page == 1:
            canvas.rect(0, _PAGE_HEIGHT - 12 * mm, _PAGE_WIDTH, 12 * mm, stroke=0, fill=1)
        else:
            canvas.drawString(_MARGIN, _PAGE_HEIGHT - 15 * mm, self._running_title)
            canvas.line(_MARGIN, _PAGE_HEIGHT - 17 * mm, _PAGE_WIDTH - _MARGIN, _PAGE_HEIGHT - 17 * mm)
        canvas.setFillColor(_INK)
        canvas.line(_MARGIN, 16 * mm, _PAGE_WIDTH - _MARGIN, 16 * mm)
        canvas.drawString(_MARGIN, 11 * mm, PUBLISHER)
        canvas.drawRightString(_PAGE_WIDTH - _MARGIN, 11 * mm, f"Página {page}")
        canvas.restoreState()

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - reportlab's name
        """Called by reportlab after each flowable: sections go into the contents and the PDF outline."""
        style = getattr(flowable, "style", None)
        if isinstance(flowable, Paragraph) and getattr(style, "name", "") == "section":
            text, key = flowable.getPlainText(), f"page-{self.page}"
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(text, key, level=0)
            self.notify("TOCEntry", (0, text, self.page, key))


def render(sample: Sample) -> bytes:
    """The PDF file. Blocks before the first section introduce the document on its title page."""
    target = BytesIO()
    _SampleDocument(target, sample).multiBuild(_story(sample))
    return target.getvalue()


def _story(sample: Sample) -> list[Flowable]:
    story: list[Flowable] = [
        Paragraph(sample.title, _STYLES["title"]),
        Paragraph(sample.subtitle, _STYLES["subtitle"]),
        HRFlowable(width="100%", thickness=1.2, color=_ACCENT, spaceAfter=5 * mm),
    ]
    first_section = next(index for index, block in enumerate(sample.blocks) if block.kind == "section")
    for block in sample.blocks[:first_section]:
        story += _flowables(block)
    story += [Paragraph(CONTENTS_TITLE, _STYLES["heading"]), _contents()]
    for block in sample.blocks[first_section:]:
        story += _flowables(block)
    return story


def _contents() -> TableOfContents:
    contents = TableOfContents(dotsMinLevel=0)
    contents.levelStyles = [_STYLES["contents"]]
    return contents


def _flowables(block: Block) -> list[Flowable]:
    if block.kind == "table":
        return [_table(block.rows), Spacer(1, 3 * mm)]
    if block.kind == "bullet":
        return [Paragraph(block.text, _STYLES["bullet"], bulletText="•")]
    # A section on a fresh page keeps its facts on a page that a citation can be checked against.
    paragraph = Paragraph(block.text, _STYLES[block.kind])
    return [PageBreak(), paragraph] if block.kind == "section" else [paragraph]


def _table(rows: tuple[tuple[str, ...], ...]) -> Table:
    """Columns share the width by their longest cell, within limits, so that short codes waste no space."""
    longest = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    weights = [min(max(width, 12), 60) for width in longest]
    widths = [_TEXT_WIDTH * weight / sum(weights) for weight in weights]
    styles = [_STYLES["head"], *[_STYLES["cell"]] * (len(rows) - 1)]
    cells = [[Paragraph(cell, style) for cell in row] for row, style in zip(rows, styles, strict=True)]
    look = [
        ("BACKGROUND", (0, 0), (-1, 0), _ACCENT),
        ("ROWBACKGROUNDS", (0, 1), (-1, -1), [_SOFT, HexColor("#ffffff")]),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    return Table(cells, colWidths=widths, repeatRows=1, spaceBefore=2 * mm, style=TableStyle(look))


def _width(cell: str) -> float:
    """Roughly, in characters. Code is set in a wider font and has no space at which to break."""
    letters = len(_MARKUP.sub("", cell))
    return letters * 1.4 if "Courier" in cell else letters
