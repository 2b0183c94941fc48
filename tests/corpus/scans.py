"""Paper: pages rendered to images, a little askew and grainy, alone or inside a PDF."""

import io
import random
from collections.abc import Sequence
from pathlib import Path

import pikepdf
import pypdfium2
from PIL import Image, ImageChops
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

DPI = 150
"""What office scanners send by mail; recognition reads clean print as well as at 200."""


def photographed(pdf: Path, *, skew: float = 0.0, grain: float = 0.0) -> list[Image.Image]:
    """The pages of a PDF as grey images, turned by `skew` degrees and with noise of strength `grain` (0 to 100)."""
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [page.render(scale=DPI / 72, grayscale=True).to_pil() for page in document]
    return [_worn(page, skew, grain) for page in pages]


def scanned_pdf(path: Path, images: Sequence[Image.Image]) -> None:
    """A PDF of images without a text layer, as scanners make them."""
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    for image in images:
        canvas.drawImage(ImageReader(_jpeg(image)), 0, 0, *A4)
        canvas.showPage()
    canvas.save()


def mixed_pdf(path: Path, digital: Path, scanned: Path, pages: Sequence[int]) -> None:
    """The digital PDF with these pages (from 1) replaced by their scans."""
    with pikepdf.open(digital) as text, pikepdf.open(scanned) as paper:
        for number in pages:
            text.pages[number - 1] = paper.pages[number - 1]
        text.save(path)


def frames(path: Path, images: Sequence[Image.Image]) -> None:
    """A TIFF with one page a frame."""
    first, *others = images
    first.save(path, save_all=True, append_images=others, compression="tiff_deflate", dpi=(DPI, DPI))


def picture(path: Path, image: Image.Image) -> None:
    """A PNG or JPEG, by the path's suffix."""
    image.save(path, dpi=(DPI, DPI))


def _worn(image: Image.Image, skew: float, grain: float) -> Image.Image:
    turned = image.rotate(skew, resample=Image.Resampling.BICUBIC, fillcolor=255) if skew else image
    if not grain:
        return turned
    width, height = turned.size
    noise = Image.frombytes("L", (width, height), random.Random(width * height).randbytes(width * height))
    return ImageChops.subtract(turned, noise.point([int(value * grain / 255) for value in range(256)]))


def _jpeg(image: Image.Image) -> io.BytesIO:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    buffer.seek(0)
    return buffer
