"""Thirty documents of all kinds, a scanned page among them, in the folder and at a client that uploads."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.hostile.archives import cell, docx_parts, odt_parts, paragraph, xlsx_parts, zipped
from tests.integration.ingest.documents import long_text, pdf

SCAN_DPI = 150


@dataclass(frozen=True)
class Document:
    """A file; `uploaded` ones come through the API, the others lie in the folder."""

    name: str
    data: bytes
    uploaded: bool


def thirty_documents() -> list[Document]:
    """Every third comes by upload. No two are alike, so each is a document of its own."""
    return [Document(name, data, uploaded=number % 3 == 2) for number, (name, data) in enumerate(_files())]


def _files() -> Iterator[tuple[str, bytes]]:
    for n in range(10):
        yield f"relatorio-{n}.pdf", pdf([f"Relatório {n}, página {p}: a válvula {n * p} abriu." for p in range(1, 9)])
    for n in range(5):
        yield f"notas-{n}.txt", f"Notas {n}.\n\n{long_text(20 + n)}".encode()
    for n in range(3):
        yield f"guia-{n}.md", f"# Guia {n}\n\n{long_text(15)}\n\n## Fim do guia {n}\n\nNada mais.\n".encode()
    for n in range(3):
        yield f"carta-{n}.docx", zipped(docx_parts("".join(paragraph(f"Carta {n}, linha {k}.") for k in range(60))))
    for n in range(2):
        rows = "".join(f'<row r="{k}">{cell(f"A{k}", f"Peça {k}")}{cell(f"B{k}", str(n))}</row>' for k in range(1, 200))
        yield f"estoque-{n}.xlsx", zipped(xlsx_parts(rows, dimension="A1:B199"))
    yield "ata.odt", zipped(odt_parts("".join(f"<t:p>A ata decide o ponto {n}.</t:p>" for n in range(50))))
    yield "tabela.csv", b"sala;medida\n" + b"".join(b"%d;%d\n" % (n, n * n) for n in range(200))
    yield "pagina.html", f"<html><body><h1>Aviso</h1><p>{long_text(5)}</p></body></html>".encode()
    yield (
        "correio.eml",
        b"From: a@x.br\r\nTo: b@x.br\r\nSubject: Ensaio\r\n\r\nO ensaio foi adiado.\r\n",
    )
    for n in range(2):
        yield f"digitalizado-{n}.pdf", scan(pdf([f"A folha {n} do armário foi digitalizada ontem."]))
    yield "vazio.pdf", b"%PDF-1.4 nothing follows"


def scan(document: bytes) -> bytes:
    """The pages of a PDF as images without a text layer."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4)
    with pypdfium2.PdfDocument(document) as pages:
        for page in pages:
            picture = page.render(scale=SCAN_DPI / 72, grayscale=True).to_pil()
            canvas.drawImage(ImageReader(picture), 0, 0, *A4)
            canvas.showPage()
    canvas.save()
    return target.getvalue()
