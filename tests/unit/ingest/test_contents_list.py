"""Contents lists of PDFs, as liteparse really lays them out."""

from collections.abc import Callable
from io import BytesIO

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from ingest_service.parsing.blocks import BlockKind, ParsedDocument

TITLES = ["O que é o 6G", "Os seis cenários de uso", "Princípios e capacidades", "O cronograma na UIT"]


def page(numbers_at: float, titles: list[str]) -> bytes:
    target = BytesIO()
    canvas = Canvas(target, pagesize=A4)
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(72, 780, "Neste documento")
    canvas.setFont("Helvetica", 10.5)
    for row, title in enumerate(titles):
        canvas.drawString(72, 740 - 23 * row, title)
        canvas.drawString(numbers_at, 740 - 23 * row, f". {row + 2}" if numbers_at > 72 else str(row + 1))
    canvas.save()
    return target.getvalue()


def test_a_contents_list_keeps_its_lines_and_loses_its_page_numbers(read: Callable[..., ParsedDocument]):
    blocks = read(page(520, TITLES)).blocks
    assert [block.text for block in blocks if block.kind == BlockKind.LIST_ITEM] == TITLES
    assert not any(" ".join(TITLES[:2]) in block.text for block in blocks)


def test_text_with_line_numbers_beside_it_is_not_taken_for_a_contents_list(read: Callable[..., ParsedDocument]):
    text = ["A antena do laboratório cobre", "dois quilômetros em campo aberto", "e fica no telhado do prédio", "azul."]
    blocks = read(page(40, text)).blocks
    assert not [block for block in blocks if block.kind == BlockKind.LIST_ITEM]
