"""Office documents made for tests."""

import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import docx
import pptx
import xlsxwriter
from docx.document import Document
from docx.enum.text import WD_BREAK
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Cm

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SENTENCE = "A lâmpada do laboratório não pisca à meia-noite, nem na manutenção."


def docx_file(write: Callable[[Document], object]) -> bytes:
    document = docx.Document()
    write(document)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def guide() -> bytes:
    """A DOCX with everything common in it, on three pages."""

    def write(document: Document) -> None:
        document.core_properties.title = "Guia da bancada"
        document.sections[0].header.paragraphs[0].text = "Laboratório de Redes"
        document.add_heading("Introdução", 1)
        document.add_paragraph(SENTENCE)
        document.add_heading("Medição", 2)
        document.add_paragraph("Ligar a fonte.", style="List Bullet")
        table = document.add_table(rows=2, cols=2)
        for row, texts in zip(table.rows, (("Grandeza", "Valor"), ("Tensão", "12,5 V | 3 A")), strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
        document.add_paragraph("Fim da primeira.").add_run().add_break(WD_BREAK.PAGE)
        document.add_paragraph("Começo da segunda.")
        document.add_heading("Conclusão", 1).paragraph_format.page_break_before = True
        document.add_paragraph("RESULTADO FINAL")

    return docx_file(write)


def with_body(inner: str, parts: Mapping[str, bytes] | None = None) -> bytes:
    """A DOCX whose body is this XML (prefix `w`), with more or other parts."""
    body = f'<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="{W}"><w:body>{inner}</w:body></w:document>'
    return rewritten(docx_file(lambda _: None), {"word/document.xml": body.encode(), **(parts or {})})


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p>{properties and f'<w:pPr>{properties}</w:pPr>'}<w:r><w:t>{text}</w:t></w:r></w:p>"


def rewritten(archive: bytes, parts: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            if name not in parts:
                copy.writestr(name, source.read(name))
        for name, data in parts.items():
            copy.writestr(name, data)
    return target.getvalue()


def slides() -> bytes:
    """Three slides: a title with text and notes, one without a title, one with a table and a chart."""
    show = pptx.Presentation()
    first = show.slides.add_slide(show.slide_layouts[1])
    first.shapes.title.text = "Redes 5G"
    first.placeholders[1].text = f"{SENTENCE}\nO atraso é curto."
    first.notes_slide.notes_text_frame.text = "Lembrar da demonstração.\nDepois, perguntas."
    second = show.slides.add_slide(show.slide_layouts[6])
    second.shapes.add_textbox(Cm(1), Cm(1), Cm(9), Cm(2)).text_frame.text = "Um texto solto na página."
    third = show.slides.add_slide(show.slide_layouts[5])
    third.shapes.title.text = "Medidas"
    third.shapes.title.top = Cm(15)
    table = third.shapes.add_table(2, 2, Cm(1), Cm(1), Cm(9), Cm(2)).table
    for place, text in enumerate(("Sala", "Tensão", "A12", "12,5 V")):
        table.cell(place // 2, place % 2).text = text
    data: Any = CategoryChartData()  # type: ignore[no-untyped-call]
    data.categories = ["março", "abril"]
    data.add_series("Consumo", (1.5, 2))
    third.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(1), Cm(5), Cm(9), Cm(5), data)
    target = io.BytesIO()
    show.save(target)
    return target.getvalue()


def workbook() -> bytes:
    """Three sheets: a titled table and a second one below it, an empty one, and one with merged cells."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        date = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet("Notas")
        sheet.write(0, 0, "Relatório de notas")
        sheet.write_row(1, 0, ["Aluno", "", "Nota", "Entrega"])
        sheet.write_row(2, 0, ["João", "", 8.5])
        sheet.write_datetime(2, 3, datetime(2026, 3, 9), date)
        sheet.write_row(3, 0, ["Mário", "", 10])
        sheet.write_datetime(3, 3, datetime(2026, 3, 9, 14, 5), date)
        sheet.write_row(6, 0, ["Sala", "Prédio"])
        sheet.write_row(7, 0, ["A12", "VII"])
        book.add_worksheet("Vazia")
        sheet = book.add_worksheet("Total")
        sheet.merge_range("A1:B1", "Soma")
        sheet.write_row(1, 0, ["parcela", "valor"])
        sheet.write_formula(2, 0, "=0.1+0.2", value=0.1 + 0.2)
        sheet.write_boolean(2, 1, True)
    return target.getvalue()
