"""PDFs to blocks, window by window."""

import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate, Table, TableStyle

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import BlockKind, ParsedDocument
from ingest_service.parsing.media_types import PDF
from ingest_service.parsing.ocr.tessdata import find_language_data
from ingest_service.parsing.pdf.broken_text import is_broken
from ingest_service.parsing.pdf.hyphens import joined
from ingest_service.parsing.pdf.pages import page_ranges
from ingest_service.parsing.sandbox import Sandbox
from ingest_service.reading.reader import Reader
from tests.integration.ingest.documents import damaged_pdf, pdf, pdf_without_pages, protected_pdf

Read = Callable[..., ParsedDocument]


def texts(document: ParsedDocument) -> list[str]:
    return [block.text for block in document.blocks]


def chapters(sizes: list[tuple[str, float]]) -> bytes:
    """One page for each title, set in its size above some text."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for title, size in sizes:
        canvas.setFont("Helvetica-Bold", size)
        canvas.drawString(72, 780, title)
        canvas.setFont("Helvetica", 11)
        for line in range(12):
            canvas.drawString(72, 740 - 15 * line, f"Linha {line} sobre {title.lower()} com valores da bancada.")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_a_pdf_gives_its_pages_and_title_and_keeps_telling_first_lines(read: Read):
    document = read(pdf([f"Página {n}: a válvula {n} é verde." for n in range(1, 8)], title="Válvulas"))
    assert (document.title, document.pages, document.note) == ("Válvulas", 7, "")
    for n in range(1, 8):
        page = " ".join(block.text for block in document.blocks if block.page == n)
        assert f"a válvula {n} é verde" in page


def test_progress_counts_pages_window_by_window(sandbox: Sandbox, tmp_path: Path):
    path = tmp_path / "document"
    path.write_bytes(pdf([f"A folha {n} tem um valor." for n in range(1, 121)]))
    told: list[tuple[str, int, int]] = []

    def report(stage: str, done: int, total: int) -> None:
        told.append((stage, done, total))

    document = Reader(sandbox, tmp_path / "kept", find_language_data(None)).read(path, "0" * 64, PDF, report)
    assert {block.page for block in document.blocks} == set(range(1, 121))
    assert {(stage, done, total) for stage, done, total in told if total} == {
        ("parsing", done, 120) for done in (0, 50, 100)
    }


def test_heading_levels_are_the_same_in_every_window(read: Read):
    sizes = [("Parte Um", 24.0)] + [(f"Seção {n * 3}", 14.0) for n in range(2, 61)]
    document = read(chapters(sizes))
    levels = {block.text: block.level for block in document.blocks if block.kind == BlockKind.HEADING}
    assert levels["Parte Um"] == 1
    assert {levels[f"Seção {n * 3}"] for n in range(2, 61)} == {2}


def test_a_table_is_one_block_of_markdown(read: Read):
    buffer = io.BytesIO()
    rows = [["Grandeza", "Valor"], ["Frequência", "3,5 GHz"], ["Potência", "20 | 40 W"]]
    table = Table(rows, style=TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black)]))
    SimpleDocTemplate(buffer).build([table])
    assert texts(read(buffer.getvalue())) == [
        "| Grandeza | Valor |\n| --- | --- |\n| Frequência | 3,5 GHz |\n| Potência | 20 \\| 40 W |"
    ]


@pytest.mark.parametrize("repeated", [0, 1])
def test_each_part_of_a_table_over_pages_names_its_columns(repeated: int, read: Read):
    buffer = io.BytesIO()
    rows = [
        ["Sigla", "Disciplina", "Créditos"],
        *([f"TP{n}", f"Antenas e propagação {n}", str(n)] for n in range(100, 250)),
    ]
    style = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
    SimpleDocTemplate(buffer).build([Table(rows, style=style, repeatRows=repeated, colWidths=[60, 200, 80])])
    parts = [text.splitlines() for text in texts(read(buffer.getvalue()))]
    assert len(parts) >= 4
    assert {part[0] for part in parts} == {"| Sigla | Disciplina | Créditos |"}
    assert [line for part in parts for line in part[2:]] == [f"| {' | '.join(row)} |" for row in rows[1:]]


def test_a_table_of_data_alone_takes_no_row_for_the_names_of_its_columns(read: Read):
    buffer = io.BytesIO()
    table = Table([["TP555", "45 h"], ["TP556", "60 h"]], style=TableStyle([("GRID", (0, 0), (-1, -1), 0.5, "black")]))
    SimpleDocTemplate(buffer).build([table])
    assert texts(read(buffer.getvalue())) == ["|  |  |\n| --- | --- |\n| TP555 | 45 h |\n| TP556 | 60 h |"]


def test_a_number_on_a_line_of_its_own_is_lost_only_where_page_numbers_stand(read: Read):
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.drawString(60, 600, "2023104567")
    canvas.drawString(60, 500, "Matrícula do estudante, como consta no diploma.")
    canvas.drawString(290, 30, "12")
    canvas.save()
    assert texts(read(buffer.getvalue())) == ["2023104567", "Matrícula do estudante, como consta no diploma."]


def test_accents_survive_a_font_that_calls_windows_letters_mac_roman(read: Read):
    sentence = "A produção de ações não é só uma questão técnica: órgãos públicos também têm opinião."
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for line in range(10):
        canvas.drawString(60, 780 - 15 * line, sentence)
    canvas.save()
    with pikepdf.open(buffer) as document:
        for font in document.pages[0].Resources.Font.values():
            font.Encoding = pikepdf.Name.MacRomanEncoding
        document.save(target := io.BytesIO())
    assert sentence in " ".join(texts(read(target.getvalue())))


def test_honest_portuguese_is_not_taken_for_mac_roman(read: Read):
    sentence = 'O termo "ação" e o "É" de École, o Ícaro, a Ísis e a sigla ÍNDICE ficam como estão, não é?'
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for line in range(10):
        canvas.drawString(60, 780 - 15 * line, sentence)
    canvas.save()
    assert sentence in " ".join(texts(read(buffer.getvalue())))


def test_a_word_cut_by_the_end_of_a_page_is_whole_again(read: Read):
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.drawString(60, 780, "O laboratório estuda o futuro das teleco-")
    canvas.showPage()
    canvas.drawString(60, 780, "municações móveis e da lâmpada gêmea.")
    canvas.save()
    assert texts(read(buffer.getvalue())) == [
        "O laboratório estuda o futuro das telecomunicações",
        "móveis e da lâmpada gêmea.",
    ]


def test_lines_are_joined_and_pronouns_keep_their_hyphen():
    assert joined(["a comuni-", "cação", "móvel"]) == "a comunicação móvel"
    assert joined(["ela disse-", "lhe tudo"]) == "ela disse-lhe tudo"
    assert joined(["o norte -", "o sul"]) == "o norte - o sul"


def test_compounds_that_a_line_cuts_keep_their_hyphen_and_lists_their_letters(read: Read):
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    prose = ["O professor do laboratório de antenas chamou o aluno e mostrou-", "lhe ali o forno de micro-"]
    prose += ["ondas do curso de pós-", "graduação em teleco-", "municações da universidade."]
    for line, text in enumerate(prose):
        canvas.drawString(60, 700 - 14 * line, text)
    for item, text in enumerate(["a) o gerador deve estar ligado;", "b) a antena deve estar presa."]):
        canvas.drawString(60, 580 - 18 * item, text)
    canvas.save()
    found = texts(read(buffer.getvalue()))
    assert "mostrou-lhe ali o forno de micro-ondas do curso de pós-graduação em telecomunicações" in found[0]
    assert found[1:] == ["a) o gerador deve estar ligado;", "b) a antena deve estar presa."]


def test_text_is_as_it_stands_on_the_page_without_escapes(read: Read):
    lines = [r"O programa em C:\dados chama __init__ e * marca o valor.", "Notas: * estimado; ** final do censo."]
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for line, text in enumerate(lines):
        canvas.drawString(60, 600 - 60 * line, text)
    canvas.save()
    assert texts(read(buffer.getvalue())) == lines


def test_a_running_header_close_above_a_sentence_is_not_part_of_it(read: Read):
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for page in range(1, 6):
        canvas.drawString(60, 790, "Plano de Desenvolvimento Institucional 2026-2030")
        for line in range(20):
            canvas.drawString(
                60, 752 - 14 * line, f"e a linha {line} da página {page} fala da antena do laboratório de"
            )
        canvas.showPage()
    canvas.save()
    found = texts(read(buffer.getvalue()))
    assert found[0] == "Plano de Desenvolvimento Institucional 2026-2030"
    assert "Plano" not in " ".join(found[1:])
    assert "laboratório de e a linha 1 da" in found[1]


def test_a_text_layer_of_nonsense_is_seen_and_other_languages_and_lists_are_not():
    portuguese = "A antena do laboratório cobre o campo e fica no telhado do prédio azul da cidade. " * 8
    shifted = "".join(chr(ord(letter) + 3) if letter.isalpha() else letter for letter in portuguese)
    assert is_broken(shifted)
    assert not is_broken(portuguese)
    assert not is_broken("The antenna of the laboratory is on the roof and covers the whole field. " * 8)
    assert not is_broken("Antena 12 34 56 " * 10)


def test_a_pdf_with_a_wrong_cross_reference_table_is_read_all_the_same(read: Read):
    assert any("o farol resiste" in text for text in texts(read(damaged_pdf("Apesar disso o farol resiste."))))


def test_a_cut_off_pdf_gives_what_is_left_and_names_the_rest(read: Read):
    whole = pdf([f"A folha {n} tem um valor." for n in range(1, 31)])
    document = read(whole[: len(whole) // 2])
    pages = {block.page for block in document.blocks}
    assert 1 in pages
    assert 30 not in pages
    assert "damaged" in document.note
    assert "30" in document.note


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (protected_pdf(), errors.ProtectedDocument),
        (pdf_without_pages(), errors.EmptyDocument),
        (b"", errors.EmptyDocument),
        (pdf(["x"] * 121), errors.TooManyPages),
        (b"%PDF-1.4\nnothing else", errors.BrokenDocument),
        (pdf(["x"])[:600], errors.BrokenDocument),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, expected: type[errors.UnreadableDocument], read: Read):
    with pytest.raises(expected):
        read(data)


def test_a_scan_with_a_signature_as_text_is_recognised_and_keeps_the_signature(read: Read):
    stamp = "Documento assinado eletronicamente por Ana Souza, Diretora, em 01/05/2026."
    scan = Image.new("L", (1654, 2339), 255)
    font = ImageFont.load_default(size=44)
    ImageDraw.Draw(scan).text((150, 300), "A reitoria nomeia o professor Bruno Lima\npara a comissão.", 0, font)
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.drawInlineImage(scan, 0, 0, *A4)
    canvas.drawString(60, 20, stamp)
    canvas.save()
    found = texts(read(buffer.getvalue()))
    assert "nomeia o professor Bruno Lima" in found[0]
    assert found[1:] == [stamp]


def test_pages_are_named_briefly():
    assert page_ranges([9, 3, 7, 8, 8]) == "3, 7-9"
