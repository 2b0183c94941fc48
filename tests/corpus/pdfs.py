"""PDFs as report generators and typesetting programs make them, by reportlab."""

import re
from collections.abc import Sequence
from pathlib import Path

import reportlab
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    FrameBreak,
    PageBreak,
    PageTemplate,
    Paragraph,
    Table,
    TableStyle,
)

from tests.corpus.manuscript import Manuscript, Page

EMBEDDED = "Vera"
"""A TrueType font that reportlab brings along: it has ligatures, which the base fonts lack."""
FONT_FILE = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"

_WIDTH, _HEIGHT = A4
_MARGIN = 64
_TEXT_WIDTH = _WIDTH - 2 * _MARGIN
# A vowel before a consonant and another vowel: Portuguese may be divided there ("configu-ração").
_SYLLABLE = re.compile(r"(?<=[aeiouáéíóúâêôãõ])(?=[bcdfgjlmnprstvz][aeiouáéíóúâêôãõ])")


def one_column(path: Path, manuscript: Manuscript, *, font: str = "Helvetica", size: float = 11) -> None:
    """Flowing paragraphs, one page of the manuscript to a page."""
    _build(path, manuscript, [Frame(_MARGIN, _MARGIN, _TEXT_WIDTH, _HEIGHT - 2 * _MARGIN)], font=font, size=size)


def two_columns(path: Path, manuscript: Manuscript) -> None:
    """As journals are set: half of the paragraphs of a page in each column, line beside line."""
    width = (_TEXT_WIDTH - 24) / 2
    frames = [
        Frame(_MARGIN, _MARGIN, width, _HEIGHT - 2 * _MARGIN, id="left"),
        Frame(_MARGIN + width + 24, _MARGIN, width, _HEIGHT - 2 * _MARGIN, id="right"),
    ]
    _build(path, manuscript, frames, font="Times-Roman", size=10)


def running_headers(path: Path, manuscript: Manuscript) -> None:
    """A header and a page number on every page, as offices want them."""
    frame = Frame(_MARGIN, _MARGIN + 24, _TEXT_WIDTH, _HEIGHT - 2 * _MARGIN - 48)
    _build(path, manuscript, [frame], font="Helvetica", size=11, running=True)


def hyphenated(path: Path, manuscript: Manuscript) -> None:
    """Words divided at the ends of narrow lines, and `fi` and `fl` as ligatures."""
    pdfmetrics.registerFont(TTFont(EMBEDDED, FONT_FILE))
    canvas = _canvas(path, manuscript.title)
    for page in manuscript.pages:
        height = _HEIGHT - _MARGIN
        canvas.setFont(EMBEDDED, 15)
        canvas.drawString(_MARGIN, height, _ligatures(page.heading))
        canvas.setFont(EMBEDDED, 10)
        for paragraph in page.paragraphs:
            height -= 14
            for line in _divided(paragraph.text, width=300):
                height -= 14
                canvas.drawString(_MARGIN, height, _ligatures(line))
        canvas.showPage()
    canvas.save()


def tables(path: Path, manuscript: Manuscript, *, text_width: float) -> None:
    """A table to a page, its facts in one column; a narrow one wraps them inside their cells."""
    style = ParagraphStyle("cell", fontName="Helvetica", fontSize=8, leading=10)
    look = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, "black"), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    story: list[Flowable] = []
    for page in manuscript.pages:
        rows: list[list[object]] = [["Item", "Registro", "Situação"]]
        rows += [[str(n), Paragraph(p.fact.text, style), "conferido"] for n, p in enumerate(page.paragraphs, 1)]
        story += [_heading(page, "Helvetica"), Table(rows, colWidths=[50, text_width, 80], style=look), PageBreak()]
    width, height = landscape(A4)
    template = PageTemplate(frames=[Frame(_MARGIN, _MARGIN, width - 2 * _MARGIN, height - 2 * _MARGIN)])
    _document(path, manuscript.title, template, pagesize=landscape(A4)).build(story)


def _build(
    path: Path, manuscript: Manuscript, frames: list[Frame], *, font: str, size: float, running: bool = False
) -> None:
    style = ParagraphStyle("body", fontName=font, fontSize=size, leading=size * 1.35, spaceAfter=size)
    story: list[Flowable] = []
    for page in manuscript.pages:
        story.append(_heading(page, font))
        half = (len(page.paragraphs) + 1) // 2
        for place, paragraph in enumerate(page.paragraphs):
            if place == half and len(frames) > 1:
                story.append(FrameBreak("right"))
            story.append(Paragraph(paragraph.text, style))
        story.append(PageBreak())

    def margins(canvas: Canvas, _: object) -> None:
        if running:
            canvas.setFont("Helvetica", 8)
            canvas.drawString(_MARGIN, _HEIGHT - 40, f"Documento interno do laboratório | {manuscript.title}")
            canvas.drawCentredString(_WIDTH / 2, 36, f"Página {canvas.getPageNumber()} de {len(manuscript.pages)}")

    _document(path, manuscript.title, PageTemplate(frames=frames, onPage=margins), pagesize=A4).build(story)


def _document(path: Path, title: str, template: PageTemplate, *, pagesize: tuple[float, float]) -> BaseDocTemplate:
    return BaseDocTemplate(str(path), pagesize=pagesize, pageTemplates=[template], title=title, invariant=1)


def _canvas(path: Path, title: str) -> Canvas:
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    canvas.setTitle(title)
    return canvas


def _heading(page: Page, font: str) -> Flowable:
    bold = {"Helvetica": "Helvetica-Bold", "Times-Roman": "Times-Bold"}[font]
    return Paragraph(page.heading, ParagraphStyle("heading", fontName=bold, fontSize=15, leading=20, spaceAfter=10))


def _ligatures(text: str) -> str:
    return text.replace("fi", "\ufb01").replace("fl", "\ufb02")


def _divided(text: str, *, width: float) -> Sequence[str]:
    """Lines no wider than `width`; a word that does not fit is divided if two of its syllables remain on each side."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if _fits(longer, width):
            line = longer
            continue
        for place in sorted((match.start() for match in _SYLLABLE.finditer(word)), reverse=True):
            head, tail = word[:place], word[place:]
            if len(head) > 3 and len(tail) > 4 and _fits(f"{line} {head}-", width):
                lines.append(f"{line} {head}-")
                line = tail
                break
        else:
            lines.append(line)
            line = word
    return [*lines, line]


def _fits(text: str, width: float) -> bool:
    return bool(pdfmetrics.stringWidth(text, EMBEDDED, 10) <= width)
