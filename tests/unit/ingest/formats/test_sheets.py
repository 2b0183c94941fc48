"""Spreadsheets and CSV: cells to tables that a person can read."""

import io
from decimal import Decimal

import pytest
import xlsxwriter

from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.errors import BrokenDocument
from ingest_service.parsing.office.number_formats import format_of, shown_cells
from tests.unit.ingest.formats.office_files import rewritten, workbook
from tests.unit.ingest.formats.reading import outline, read, texts


def test_a_sheet_is_a_page_under_its_name():
    document = read(workbook(), "notas.csv")
    assert document.pages == 3
    assert outline(document) == [(1, "Notas"), (1, "Total")]
    assert [block.page for block in document.blocks] == [1, 1, 1, 1, 3, 3, 3]


def test_tables_of_a_sheet_are_told_apart_and_values_shown_as_portuguese_readers_write_them():
    tables = [block.text for block in read(workbook()).blocks if block.kind == BlockKind.TABLE]
    assert tables == [
        "| Aluno | Nota | Entrega |\n| --- | --- | --- |\n"
        "| João | 8,5 | 09/03/2026 |\n| Mário | 10 | 09/03/2026 14:05 |",
        "| Sala | Prédio |\n| --- | --- |\n| A12 | VII |",
        "| parcela | valor |\n| --- | --- |\n| 0,3 | verdadeiro |",
    ]


def test_a_line_above_a_table_and_a_merged_cell_are_text():
    paragraphs = [block.text for block in read(workbook()).blocks if block.kind == BlockKind.PARAGRAPH]
    assert paragraphs == ["Relatório de notas", "Soma"]


def test_a_big_sheet_is_one_table_with_every_row():
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for row in range(15_000):
            sheet.write_row(row, 0, [f"medida {row}", row, row / 8, "sala"])
    (_, table) = texts(read(target.getvalue()))
    lines = table.splitlines()
    assert len(lines) == 15_001
    assert lines[-1] == "| medida 14999 | 14999 | 1874,875 | sala |"


def budget() -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        formats = {
            code: book.add_format({"num_format": code}) for code in ("R$ #,##0.00", "0.0%", "[h]:mm", '0.0 "dB"')
        }
        sheet = book.add_worksheet("Orçamento")
        sheet.write_row(1, 1, ["Unidade", "Item", "Valor", "Reajuste", "Duração", "Ganho"])
        sheet.merge_range("B3:B4", "Redes")
        sheet.write_row(2, 2, ["Osciloscópio"])
        sheet.write_row(3, 2, ["Analisador"])
        for column, (code, value) in enumerate(zip(formats, (12500.5, 0.125, 1.5, -3), strict=True), 3):
            sheet.write_number(2, column, value, formats[code])
        sheet.write_formula(3, 3, "=1/0", value="#DIV/0!")
        sheet.write_number(3, 4, 1.23456789012345e17)
        hidden = book.add_worksheet("Oculta")
        hidden.write(0, 0, "Senha do cofre")
        hidden.hide()
    return target.getvalue()


def test_cells_say_what_the_sheet_shows():
    (_, table) = texts(read(budget()))
    assert table.splitlines()[2:] == [
        "| Redes | Osciloscópio | R$ 12.500,50 | 12,5% | 36:00 | -3,0 dB |",
        "| Redes | Analisador | #DIV/0! | 123456789012345000 |",
    ]


@pytest.mark.parametrize(
    ("part", "xml"),
    [
        ("xl/styles.xml", b"<styleSheet><numFmts><numFmt"),
        (
            "xl/worksheets/sheet1.xml",
            b'<worksheet><sheetData><row r="' + b"9" * 5000 + b'"><c t="e"><v>#N/A</v></c></row>',
        ),
    ],
)
def test_formats_that_make_no_sense_are_passed_over(part: str, xml: bytes):
    assert "R$" not in str(shown_cells(rewritten(budget(), {part: xml}), "Orçamento"))


def test_a_hidden_sheet_is_left_out_and_counted():
    document = read(budget())
    assert not any("cofre" in text for text in texts(document))
    assert document.note == "Hidden sheets that were left out: 1."


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("_-[$R$-416]\\ * #,##0.00_-;-[$R$-416]\\ * #,##0.00_-", "1234567.895", "R$ 1.234.567,90"),
        ('#,##0.00 "€"', "-5", "-5,00 €"),
        ("0%", "0.07000000000000001", "7%"),
        ("US$ 0.00", "2", "US$ 2,00"),
        ('"US$"0.00', "2", "US$2,00"),
        ("0." + "0" * 99 + "%", "123456789012345", "12.345.678.901.234.500,0000000000%".replace(".", "")),
    ],
)
def test_formats_of_numbers_are_followed(code: str, value: str, shown: str):
    found = format_of(code)
    assert found
    assert found.shown(Decimal(value)) == shown


@pytest.mark.parametrize(
    "code", ["General", "0.00", "dd/mm/yyyy", "mm:ss.0", "0.00E+00", "# ?/?", "@", '"texto"', "0,"]
)
def test_formats_that_add_nothing_to_the_number_are_left_alone(code: str):
    assert format_of(code) is None


def test_rows_after_an_empty_one_stay_below_their_head():
    source = b"Aluno;P1;P2\nAna;7,5;8\n\nBia;9;10\n\nAno;2025;2026\nTotal;3;4\n"
    assert texts(read(source, "n.csv")) == [
        "| Aluno | P1 | P2 |\n| --- | --- | --- |\n| Ana | 7,5 | 8 |",
        "| Aluno | P1 | P2 |\n| --- | --- | --- |\n| Bia | 9 | 10 |",
        "| Ano | 2025 | 2026 |\n| --- | --- | --- |\n| Total | 3 | 4 |",
    ]


def test_a_damaged_workbook_is_named_so():
    with pytest.raises(BrokenDocument, match="damaged"):
        read(rewritten(workbook(), {"xl/workbook.xml": b"<nada/>", "xl/worksheets/sheet1.xml": b"<"}))


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_csv_of_every_country_is_one_table(delimiter: str, encoding: str):
    source = f'Nome{delimiter}Observação\nJoão{delimiter}"faltou, avisou;\nvoltou"\nMário{delimiter}não\n'
    table = "| Nome | Observação |\n| --- | --- |\n| João | faltou, avisou; voltou |\n| Mário | não |"
    assert texts(read(source.encode(encoding), "turma.csv")) == [table]


def test_numbers_of_a_csv_stay_as_they_are_written():
    assert texts(read(b"a;b\n1,50;007\n=1+1;1e5\n", "n.csv")) == [
        "| a | b |\n| --- | --- |\n| 1,50 | 007 |\n| =1+1 | 1e5 |"
    ]


def test_a_csv_says_its_delimiter_itself():
    assert texts(read(b"sep=,\na,b;c\n1,2;3\n", "n.csv")) == ["| a | b;c |\n| --- | --- |\n| 1 | 2;3 |"]


def test_one_very_wide_row_does_not_widen_the_others():
    wide = b"x;" * 16_000 + b"x\n" + b"1;2\n" * 20_000
    (table,) = texts(read(wide, "n.csv"))
    assert table.splitlines()[-1] == "| 1 | 2 |"


def test_more_columns_than_a_spreadsheet_has_are_refused():
    with pytest.raises(BrokenDocument, match="1000001 columns"):
        read(b"x;" * 1_000_000 + b"x\n1;2\n", "n.csv")
