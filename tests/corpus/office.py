"""Office documents: written by the libraries that programs use, and converted by LibreOffice into what it writes."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import docx
import pptx
import xlsxwriter

from tests.corpus.manuscript import Manuscript

_BODY = 1
"""The placeholder below the title in a slide of the layout "title and content"."""
CONVERSION_SECONDS = 180


def word(path: Path, manuscript: Manuscript, *, last_as_table: bool = False) -> None:
    """A document with heading styles, a running header and a page break before every page but the first."""
    document = docx.Document()
    document.core_properties.title = manuscript.title
    document.sections[0].header.paragraphs[0].text = "Documento interno do laboratório"
    document.sections[0].footer.paragraphs[0].text = manuscript.title
    for number, page in enumerate(manuscript.pages):
        if number:
            document.add_page_break()  # type: ignore[no-untyped-call]
        document.add_heading(page.heading, level=1)
        prose = page.paragraphs[:-1] if last_as_table else page.paragraphs
        for paragraph in prose:
            document.add_paragraph(paragraph.text)
        rows = page.paragraphs[len(prose) :]
        if rows:
            table = document.add_table(rows=1, cols=2)
            table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Item", "Registro"
        for item, row in enumerate(rows, 1):
            cells = table.add_row().cells
            cells[0].text, cells[1].text = str(item), row.fact.text
    document.save(str(path))


def slides(path: Path, manuscript: Manuscript) -> None:
    """A slide to a page: all facts but the last as points, the last in the speaker's notes."""
    deck = pptx.Presentation()
    deck.core_properties.title = manuscript.title
    for page in manuscript.pages:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = page.heading
        *points, notes = page.paragraphs
        slide.placeholders[_BODY].text_frame.text = "\n".join(point.fact.text for point in points)
        slide.notes_slide.notes_text_frame.text = notes.text
    deck.save(str(path))


def workbook(path: Path, manuscript: Manuscript) -> None:
    """A sheet to a page, with numbers and dates beside the facts."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yyyy"}) as book:
        for number, page in enumerate(manuscript.pages, 1):
            sheet = book.add_worksheet(f"Folha {number}")
            sheet.write_row(0, 0, ["Item", "Registro", "Valor"])
            for row, paragraph in enumerate(page.paragraphs, 1):
                sheet.write_row(row, 0, [row, paragraph.fact.text, row * 12.5])


def convert(sources: Sequence[Path], suffix: str, folder: Path) -> None:
    """Save copies of office documents in another format, all in one run, since starting LibreOffice takes seconds."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                "soffice",
                f"-env:UserInstallation={Path(profile).as_uri()}",
                *("--headless", "--norestore", "--convert-to", suffix, "--outdir", str(folder)),
                *map(str, sources),
            ],
            check=True,
            capture_output=True,
            timeout=CONVERSION_SECONDS,
        )
    missing = [source.stem for source in sources if not (folder / f"{source.stem}.{suffix}").is_file()]
    assert not missing, f"LibreOffice made no {suffix} of {missing}"
