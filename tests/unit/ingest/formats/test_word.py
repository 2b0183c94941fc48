"""DOCX, as Word and other programs save it."""

import io
import re
import zipfile

import docx.oxml
import pytest

from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.errors import BrokenDocument
from tests.unit.ingest.formats.office_files import SENTENCE, W, docx_file, guide, paragraph, rewritten, with_body
from tests.unit.ingest.formats.reading import on_pages, outline, read, texts

CONTENT_TYPES = "[Content_Types].xml"


def test_a_docx_gives_its_outline_lists_tables_and_pages():
    document = read(guide(), "guia.pdf")
    assert (document.title, document.pages) == ("Guia da bancada", 3)
    assert outline(document) == [(1, "Introdução"), (2, "Medição"), (1, "Conclusão")]
    assert [(block.kind, block.text, block.page) for block in document.blocks[2:6]] == [
        (BlockKind.PARAGRAPH, SENTENCE, 1),
        (BlockKind.HEADING, "Medição", 1),
        (BlockKind.LIST_ITEM, "Ligar a fonte.", 1),
        (BlockKind.TABLE, "| Grandeza | Valor |\n| --- | --- |\n| Tensão | 12,5 V \\| 3 A |", 1),
    ]
    assert on_pages(document)[6:] == [
        (1, "Fim da primeira."),
        (2, "Começo da segunda."),
        (3, "Conclusão"),
        (3, "RESULTADO FINAL"),
    ]


def test_running_heads_stand_once_before_all_else():
    assert texts(read(guide())).count("Laboratório de Redes") == 1
    assert texts(read(guide()))[0] == "Laboratório de Redes"


def test_without_page_breaks_there_are_no_pages():
    document = read(docx_file(lambda document: document.add_paragraph(SENTENCE)))
    assert (document.pages, on_pages(document)) == (None, [(None, SENTENCE)])


def test_the_page_breaks_of_words_own_layout_win_over_those_of_the_author():
    laid_out = "<w:p><w:r><w:t>um</w:t></w:r></w:p><w:p><w:r><w:lastRenderedPageBreak/><w:t>dois</w:t></w:r></w:p>"
    hard = '<w:p><w:r><w:br w:type="page"/></w:r></w:p><w:p><w:r><w:lastRenderedPageBreak/><w:t>tres</w:t></w:r></w:p>'
    assert on_pages(read(with_body(laid_out + hard))) == [(1, "um"), (2, "dois"), (3, "tres")]


def test_a_new_section_is_a_new_page_unless_it_continues():
    def section(kind: str) -> str:
        return paragraph("fim", f'<w:sectPr><w:type w:val="{kind}"/></w:sectPr>') + paragraph("depois")

    assert on_pages(read(with_body(section("nextPage")))) == [(1, "fim"), (2, "depois")]
    assert on_pages(read(with_body(section("continuous")))) == [(None, "fim"), (None, "depois")]


def test_text_in_forms_boxes_changes_and_formulas_is_not_lost():
    form = f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph('No formulário.')}</w:sdtContent></w:sdt>"
    inside = f"<w:r><w:txbxContent>{paragraph('Na caixa.')}</w:txbxContent></w:r>"
    box = f"<w:p><w:r><w:t>Antes da caixa.</w:t></w:r>{inside}</w:p>"
    change = (
        "<w:p><w:r><w:t>Custa </w:t></w:r><w:del><w:r><w:delText>dez</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>vinte.</w:t></w:r></w:ins></w:p>"
    )
    formula = (
        '<w:p xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><w:r><w:t>Vale </w:t></w:r>'
        "<m:oMath><m:r><m:t>V = R·I</m:t></m:r></m:oMath><w:r><w:t>.</w:t></w:r></w:p>"
    )
    assert texts(read(with_body(form + box + change + formula))) == [
        "No formulário.",
        "Antes da caixa.",
        "Na caixa.",
        "Custa vinte.",
        "Vale V = R·I.",
    ]


def test_a_footnote_follows_the_paragraph_that_refers_to_it():
    body = '<w:p><w:r><w:t>O valor é nominal.</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    notes = f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="2">{paragraph("Medido a vazio.")}</w:footnote></w:footnotes>'
    data = with_body(body + paragraph("Fim."), {"word/footnotes.xml": notes.encode()})
    assert texts(read(data)) == ["O valor é nominal.", "Medido a vazio.", "Fim."]


def test_paragraphs_and_tabs_of_a_footnote_are_not_glued():
    body = '<w:p><w:r><w:t>O valor.</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    tabbed = '<w:p><w:pPr><w:tabs><w:tab w:pos="9"/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t></w:r></w:p>'
    notes = f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="2">{paragraph("Um.")}{tabbed}</w:footnote></w:footnotes>'
    assert texts(read(with_body(body, {"word/footnotes.xml": notes.encode()}))) == ["O valor.", "Um.", "a b"]


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_an_exponent_is_not_a_digit_more():
    up, down = '<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>'
    body = f"<w:p>{run('10')}{run('-9', up)}{run(' m de H')}{run('2', down)}{run('O, 2')}{run('k+1', up)}</w:p>"
    assert texts(read(with_body(body))) == ["10⁻⁹ m de H₂O, 2^(k+1)"]


def test_hidden_text_is_left_out_and_the_note_says_so():
    shown = '<w:vanish w:val="0"/>'
    body = f"<w:p>{run('Texto visível.')}{run('Letra C.', '<w:vanish/>')}{run(' Fim.', shown)}</w:p>"
    document = read(with_body(body))
    assert (texts(document), document.note) == (["Texto visível. Fim."], "Hidden text was left out.")
    assert read(with_body(paragraph("Nada oculto."))).note == ""


def test_a_heading_is_known_by_its_outline_level_whatever_its_style_is_called():
    def write(document: docx.document.Document) -> None:
        style = document.styles.add_style("Capítulo", 1)
        style.element.append(docx.oxml.parse_xml(f'<w:pPr xmlns:w="{W}"><w:outlineLvl w:val="0"/></w:pPr>'))
        document.add_paragraph("Os rádios", style="Capítulo")
        document.add_paragraph("Texto.")

    assert outline(read(docx_file(write))) == [(1, "Os rádios")]
    assert outline(read(with_body(paragraph("As antenas", '<w:outlineLvl w:val="2"/>')))) == [(3, "As antenas")]


def test_short_and_capital_lines_are_no_headings():
    document = read(docx_file(lambda document: document.add_paragraph("ATENÇÃO AO PRAZO")))
    assert outline(document) == []


def test_a_document_with_macros_or_a_template_is_read_as_a_document():
    plain = b"vnd.openxmlformats-officedocument.wordprocessingml.document.main"
    types = docx_types(guide())
    for variant in (
        b"vnd.ms-word.document.macroEnabled.main",
        b"vnd.ms-word.template.macroEnabledTemplate.main",
        b"vnd.openxmlformats-officedocument.wordprocessingml.template.main",
    ):
        data = rewritten(guide(), {CONTENT_TYPES: types.replace(plain, variant), "word/vbaProject.bin": b"AutoOpen"})
        assert SENTENCE in texts(read(data))


def test_strict_open_xml_is_read_like_the_common_dialect():
    with zipfile.ZipFile(io.BytesIO(guide())) as source:
        parts = {name: source.read(name) for name in source.namelist() if name.endswith((".xml", ".rels"))}
    common = re.compile(
        rb"http://schemas\.openxmlformats\.org/(wordprocessingml|officeDocument)/2006/(?!extended|math)"
    )
    strict = {name: common.sub(rb"http://purl.oclc.org/ooxml/\1/", part) for name, part in parts.items()}
    assert texts(read(rewritten(guide(), strict))) == texts(read(guide()))


@pytest.mark.parametrize("part", ["word/styles.xml", "[Content_Types].xml", "word/_rels/document.xml.rels"])
@pytest.mark.parametrize("content", [b"", b"<x/>", b"<not closed"])
def test_a_part_that_makes_no_sense_is_damage_or_does_no_harm(part: str, content: bytes):
    try:
        found = texts(read(rewritten(guide(), {part: content})))
    except BrokenDocument:
        return
    assert SENTENCE in found


def docx_types(data: bytes) -> bytes:
    from ingest_service.parsing.archive import member

    return member(data, CONTENT_TYPES)
