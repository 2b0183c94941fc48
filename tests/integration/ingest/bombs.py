"""Documents made to harm their reader."""

import io

import pikepdf

from tests.integration.ingest.documents import pdf


def endless_page(document: pikepdf.Pdf, number: int, *, levels: int = 9, fan: int = 10) -> None:
    """Make a page draw a form that draws a form ten times, that ... : 10^9 lines of text from a few hundred bytes."""
    page = document.pages[number - 1]
    font = document.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    )
    content = b"BT /F 8 Tf 10 10 Td (nunca acaba) Tj ET"
    resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
    for _ in range(levels):
        form = document.make_stream(content)
        form.Type, form.Subtype, form.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, [0, 0, 600, 800]
        form.Resources = resources
        content = b"/X Do " * fan
        resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(X=form))
    page.Contents = document.make_stream(content)
    page.Resources = resources


def swelling_page(document: pikepdf.Pdf, number: int, *, megabytes: int = 400) -> None:
    """Make a page's content unpack from a few hundred kilobytes to so many megabytes of text."""
    page = document.pages[number - 1]
    line = b"BT /F1 9 Tf 40 40 Td (incha sem parar, sem parar, sem parar) Tj ET\n"
    page.Contents = document.make_stream(line * (megabytes * 1_000_000 // len(line)))


def pdf_with(harm: str, *, pages: int, at: int) -> bytes:
    """A document of sentences ("A folha 3 tem um valor.") with one `endless` or `swelling` page."""
    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf([f"A folha {n} tem um valor." for n in range(1, pages + 1)]))) as document:
        if harm == "endless":
            endless_page(document, at)
        else:
            swelling_page(document, at)
        document.save(target, compress_streams=True)
    return target.getvalue()
