"""Bytes to blocks, for each kind of document."""

from collections.abc import Callable

import pytest

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.encodings import decode
from ingest_service.parsing.markup.markdown import parse_markdown
from ingest_service.parsing.media_types import PDF, PLAIN
from ingest_service.parsing.pdf.lines import Line, mended
from ingest_service.parsing.pdf.pages import PdfPage
from ingest_service.parsing.pdf.running_lines import without_running_lines
from ingest_service.parsing.registry import check, parse
from ingest_service.parsing.text import parse_text
from tests.integration.ingest.documents import pdf, pdf_without_pages, protected_pdf

LIMITS = ParsingLimits(max_pages=50, timeout_s=10, memory_mb=1024)


def texts(document: ParsedDocument) -> list[str]:
    return [block.text for block in document.blocks]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_portuguese_text_is_read_in_the_encodings_it_comes_in(encoding: str):
    assert decode("A produção não é só ação.\r\nFim.".encode(encoding)) == "A produção não é só ação.\nFim."


def test_paragraphs_of_plain_text_stand_between_blank_lines():
    document = parse_text(b"Um.\nAinda um.\n\n \nDois.\n", LIMITS)
    assert (texts(document), document.pages) == (["Um.\nAinda um.", "Dois."], None)


def test_form_feeds_of_plain_text_are_page_breaks():
    document = parse_text(b"Um.\fDois.\n\nTres.\f\fQuatro.\f", LIMITS)
    assert [(block.text, block.page) for block in document.blocks] == [
        ("Um.", 1),
        ("Dois.", 2),
        ("Tres.", 2),
        ("Quatro.", 4),
    ]
    assert document.pages == 4


def test_markdown_is_read_as_a_reader_sees_it():
    source = (
        "---\nlayout: page\n---\n# Título *forte*\n\nTexto com [um link](http://x.y) e `código`.\n\n- item **um**\n\n"
        "| A | B |\n|---|---|\n| 1 | 2 |\n\n```\nx = 1\n```\n\n## Seção\n\n<script>mal()</script>\n"
    )
    document = parse_markdown(source.encode(), LIMITS)
    assert document.title == "Título forte"
    assert [(block.kind, block.text) for block in document.blocks] == [
        (BlockKind.HEADING, "Título forte"),
        (BlockKind.PARAGRAPH, "Texto com um link e código."),
        (BlockKind.LIST_ITEM, "item um"),
        (BlockKind.TABLE, "| A | B |\n| --- | --- |\n| 1 | 2 |"),
        (BlockKind.CODE, "x = 1"),
        (BlockKind.HEADING, "Seção"),
    ]
    assert [block.level for block in document.blocks if block.kind == BlockKind.HEADING] == [1, 2]


@pytest.mark.parametrize(
    ("data", "media_type", "expected"),
    [
        (protected_pdf(), PDF, errors.ProtectedDocument),
        (pdf_without_pages(), PDF, errors.EmptyDocument),
        (b"", PLAIN, errors.EmptyDocument),
        (pdf(["x"] * 51), PDF, errors.TooManyPages),
        (b"%PDF-1.4\nnothing else", PDF, errors.BrokenDocument),
        (pdf(["x"])[:600], PDF, errors.BrokenDocument),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, media_type: str, expected: type[errors.UnreadableDocument]):
    with pytest.raises(expected):
        parse(data, media_type, LIMITS)
    if expected is not errors.BrokenDocument:
        with pytest.raises(expected):
            check(data, media_type, LIMITS)


def paragraph(text: str, top: float, height: float = 12) -> Line:
    return Line(BlockKind.PARAGRAPH, text, top, top + height)


def row(top: float, *cells: str, height: float = 12) -> Line:
    lefts = tuple(100.0 * column for column in range(len(cells)))
    return Line(BlockKind.TABLE_ROW, " | ".join(filter(None, cells)), top, top + height, cells=cells, lefts=lefts)


def test_a_last_line_taken_for_a_table_row_returns_to_its_sentence():
    lines = mended(
        [paragraph("O LTE passou a transportar", 100), row(115, "tudo em", "pacotes IP."), row(140, "A", "B")]
    )
    assert [line.text for line in lines] == ["O LTE passou a transportar tudo em pacotes IP.", "A | B"]


def test_a_page_of_lines_without_an_end_becomes_paragraphs_of_a_bearable_length():
    lines = mended([paragraph("sem ponto final", 13 * number, height=12) for number in range(20_000)])
    assert sum(line.text.count("ponto") for line in lines) == 20_000
    assert max(len(line.text) for line in lines) < 11_000


def test_a_table_below_a_finished_sentence_stays_a_table():
    lines = mended([paragraph("Os valores são estes.", 100), row(115, "A", "B")])
    assert [line.text for line in lines] == ["Os valores são estes.", "A | B"]


def test_a_line_taken_for_code_returns_to_its_sentence():
    code = Line(BlockKind.CODE, "desired, enquanto o campo", 115, 127)
    lines = mended([paragraph("separado, no campo", 100), code, paragraph("pending espera.", 130)])
    assert [line.text for line in lines] == ["separado, no campo desired, enquanto o campo pending espera."]


def test_a_first_line_taken_for_a_heading_returns_to_its_paragraph():
    torn = Line(BlockKind.HEADING, "Open RAN é o movimento que abre as interfaces, para que rádio", 115, 127, level=3)
    heading = Line(BlockKind.HEADING, "Open RAN", 80, 98, level=2)
    lines = mended([heading, torn, paragraph("e controle possam vir de fora.", 130)])
    assert [(line.kind, line.text) for line in lines] == [
        (BlockKind.HEADING, "Open RAN"),
        (
            BlockKind.PARAGRAPH,
            "Open RAN é o movimento que abre as interfaces, para que rádio e controle possam vir de fora.",
        ),
    ]


def test_the_second_line_of_a_cell_goes_below_the_cell_it_belongs_to():
    wrapped = Line(BlockKind.TABLE_ROW, "latência", 113, 125, cells=("latência", ""), lefts=(101.0, float("inf")))
    assert [line.text for line in mended([row(100, "Release 16", "reforço da baixa"), wrapped])] == [
        "Release 16 | reforço da baixa latência"
    ]


def pages_of(lines: Callable[[int], list[Line]], height: float) -> list[PdfPage]:
    return [PdfPage(n, None, tuple(lines(n)), characters=500, height=height) for n in range(1, 6)]


def test_running_headers_are_kept_once_and_page_numbers_do_not_hide_them():
    pages = pages_of(
        lambda n: [
            paragraph("Guia do 5G", 10),
            paragraph(f"Capítulo {n * 2}", 30),
            *(paragraph(f"Texto {line} da folha {n}.", 140 + 15 * line) for line in range(4)),
            paragraph(f"Inatel - página {n}", 780),
        ],
        height=800,
    )
    kept = without_running_lines(pages)
    assert kept[1] == [*pages[0].lines]
    for page in pages[1:]:
        assert kept[page.number] == [*page.lines[1:-1]]


def test_what_every_page_says_in_its_middle_is_no_running_line():
    pages = pages_of(lambda n: [paragraph(f"Prova {n}", 100), paragraph("Duração: 100 minutos.", 130)], height=800)
    assert without_running_lines(pages) == {page.number: [*page.lines] for page in pages}
