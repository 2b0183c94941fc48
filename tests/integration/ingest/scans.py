"""Scanned pages: printed text as pixels, in PDFs and image files."""

import io
from collections.abc import Sequence

import pypdfium2
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

DPI = 200


def printed(lines: Sequence[str], *, dpi: int = DPI) -> Image.Image:
    """An A4 page with these lines as a scanner sees it, in grey."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.setFont("Times-Roman", 12)
    for number, line in enumerate(lines):
        canvas.drawString(72, 760 - 20 * number, line)
    canvas.save()
    image: Image.Image = pypdfium2.PdfDocument(buffer.getvalue())[0].render(scale=dpi / 72, grayscale=True).to_pil()
    return image


def image_bytes(image: Image.Image, kind: str, *more: Image.Image) -> bytes:
    """The image as a file of this kind; a TIFF takes several."""
    target = io.BytesIO()
    options = {"save_all": True, "append_images": list(more)} if more else {}
    image.save(target, kind, **options)
    return target.getvalue()


def pdf_of(pages: Sequence[Image.Image | Sequence[str]]) -> bytes:
    """A PDF with a full-page image for each image, and written text for each list of lines."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for page in pages:
        if isinstance(page, Image.Image):
            width, height = (A4[1], A4[0]) if page.width > page.height else A4
            canvas.setPageSize((width, height))
            canvas.drawImage(ImageReader(page), 0, 0, width, height)
        else:
            canvas.setPageSize(A4)
            for number, line in enumerate(page):
                canvas.drawString(72, 760 - 20 * number, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()
