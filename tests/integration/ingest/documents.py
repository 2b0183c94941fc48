"""Documents made for tests."""

import io
from collections.abc import Sequence

import pikepdf
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas


def pdf(pages: Sequence[str], title: str = "") -> bytes:
    """A digital PDF; each page holds one sentence and filler in lines of a readable length."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    if title:
        canvas.setTitle(title)
    for number, sentence in enumerate(pages, 1):
        canvas.drawString(72, 780, sentence)
        for line in range(25):
            canvas.drawString(
                72, 740 - 18 * line, f"Medida {line} da sala {number}: valor {line * number} sem surpresa."
            )
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def scanned_pdf(pages: int = 2) -> bytes:
    """Pages with a drawing and no text."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for _ in range(pages):
        canvas.circle(300, 400, 100, fill=1)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def protected_pdf() -> bytes:
    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf(["segredo"]))) as document:
        document.save(target, encryption=pikepdf.Encryption(owner="dono", user="senha", R=6))
    return target.getvalue()


def pdf_without_pages() -> bytes:
    target = io.BytesIO()
    pikepdf.new().save(target)
    return target.getvalue()


def damaged_pdf(sentence: str) -> bytes:
    """Its cross-reference table points to nowhere; its pages are all there."""
    whole = pdf([sentence])
    start = whole.rindex(b"startxref")
    return whole[:start] + b"startxref\n99999999\n%%EOF\n"


def long_text(paragraphs: int) -> str:
    """Prose of about 60 words a paragraph, no two alike."""
    return "\n\n".join(
        f"O ensaio {number} mediu a antena {number * 7} na sala {number % 13}. "
        + "O resultado ficou dentro do previsto e foi anotado no caderno do laboratório pela equipe da manhã. " * 3
        for number in range(paragraphs)
    )
