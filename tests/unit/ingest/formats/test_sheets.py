"""Spreadsheets and CSV: cells to tables that a person can read."""

import io

import pytest
import xlsxwriter

from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.errors import BrokenDocument
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
