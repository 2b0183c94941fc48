"""What other programs read for us: pandoc (ODT, EPUB) and LibreOffice (DOC, PPT, ODP, RTF)."""

import shutil
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from ingest_service.parsing import errors, media_types, programs
from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.office import legacy_office
from ingest_service.parsing.registry import check
from tests.unit.ingest.formats.office_files import SENTENCE, guide, rewritten, slides, workbook
from tests.unit.ingest.formats.reading import LIMITS, on_pages, outline, read, texts

SOURCES = {"docx": guide, "pptx": slides, "xlsx": workbook}
CONVERSIONS = {"docx": ("doc", "odt", "rtf"), "pptx": ("ppt", "odp"), "xlsx": ("xls", "ods")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same documents as LibreOffice saves them, by suffix."""
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice (soffice) is not installed; it makes and reads these files")
    folder = tmp_path_factory.mktemp("office")
    for suffix, make in SOURCES.items():
        (folder / f"a.{suffix}").write_bytes(make())
        for target in CONVERSIONS[suffix]:
            command = ["soffice", f"-env:UserInstallation={folder.as_uri()}/profile", "--headless"]
            subprocess.run(
                [*command, "--convert-to", target, f"a.{suffix}"], cwd=folder, check=True, capture_output=True
            )
    return {path.suffix[1:]: path.read_bytes() for path in folder.glob("a.*")}


@pytest.mark.parametrize("suffix", ["doc", "rtf"])
def test_old_text_documents_keep_outline_tables_and_pages(made: dict[str, bytes], suffix: str):
    document = read(made[suffix], "documento.txt")
    assert (document.title, document.pages) == ("Guia da bancada", 3)
    assert outline(document) == [(1, "Introdução"), (2, "Medição"), (1, "Conclusão")]
    assert {(1, SENTENCE), (2, "Começo da segunda."), (3, "RESULTADO FINAL")} <= set(on_pages(document))
    assert "| Grandeza | Valor |\n| --- | --- |\n| Tensão | 12,5 V \\| 3 A |" in texts(document)


@pytest.mark.parametrize("suffix", ["ppt", "odp"])
def test_old_slides_keep_titles_and_pages(made: dict[str, bytes], suffix: str):
    document = read(made[suffix])
    assert document.pages == 3
    assert outline(document) == [(1, "Redes 5G"), (1, "Slide 2"), (1, "Medidas")]
    assert {(1, SENTENCE), (1, "Lembrar da demonstração."), (2, "Um texto solto na página.")} <= set(on_pages(document))


@pytest.mark.parametrize("suffix", ["xls", "ods"])
def test_other_sheets_read_as_xlsx_does(made: dict[str, bytes], suffix: str):
    document = read(made[suffix])
    assert (document.pages, outline(document)) == (3, [(1, "Notas"), (1, "Total")])
    assert "| João | 8,5 | 09/03/2026 |" in " ".join(texts(document)).replace("\n", " ")


def test_odt_keeps_outline_lists_and_tables(made: dict[str, bytes]):
    document = read(made["odt"])
    assert outline(document) == [(1, "Introdução"), (2, "Medição"), (1, "Conclusão")]
    assert SENTENCE in texts(document)
    assert (BlockKind.LIST_ITEM, "Ligar a fonte.") in [(block.kind, block.text) for block in document.blocks]
    assert "| Grandeza | Valor |\n| --- | --- |\n| Tensão | 12,5 V \\| 3 A |" in texts(document)


ODT_BOX = """<text:p>Antes da caixa.<draw:frame svg:width="5cm" svg:height="2cm" text:anchor-type="paragraph"
xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"><draw:text-box><text:p>Na caixa.</text:p>
</draw:text-box></draw:frame></text:p>"""
ODT_LIST = (
    '<text:list text:style-name="N"><text:list-item><text:p>O prazo é de um mês.</text:p></text:list-item></text:list>'
)
ODT_NUMBERS = (
    '<text:list-style style:name="N"><text:list-level-style-number text:level="1" style:num-prefix="Art. " '
    'style:num-suffix="º" style:num-format="1"/></text:list-style>'
)


def odt(made: dict[str, bytes]) -> bytes:
    """A text with a box and a list whose labels are numbers."""
    names = "".join(
        f' xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for prefix, name in (("office", "office"), ("text", "text"), ("draw", "drawing"), ("style", "style"))
    )
    content = (
        f'<?xml version="1.0"?><office:document-content{names} office:version="1.3"><office:automatic-styles>'
        f"{ODT_NUMBERS}</office:automatic-styles><office:body><office:text>{ODT_BOX}{ODT_LIST}</office:text>"
        "</office:body></office:document-content>"
    )
    return rewritten(made["odt"], {"content.xml": content.encode()})


def test_text_boxes_and_list_labels_of_an_odt_are_kept(made: dict[str, bytes]):
    document = read(odt(made))
    assert "Na caixa." in texts(document)
    assert "Art. 1º O prazo é de um mês." in texts(document)
    assert document.note == ""


def test_an_odt_read_without_libreoffice_says_what_may_be_missing(
    made: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", "")
    assert "text boxes" in read(odt(made)).note


def test_an_encrypted_odt_asks_to_be_saved_without_password(made: dict[str, bytes]):
    manifest = b'<manifest:manifest><manifest:encryption-data manifest:checksum="x"/></manifest:manifest>'
    with pytest.raises(errors.ProtectedDocument):
        read(rewritten(made["odt"], {"META-INF/manifest.xml": manifest}))


def epub(*chapters: str) -> bytes:
    target = BytesIO()
    spine = "".join(f'<itemref idref="c{number}"/>' for number in range(len(chapters)))
    items = "".join(
        f'<item id="c{n}" href="c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters))
    )
    with zipfile.ZipFile(target, "w") as book:
        book.writestr("mimetype", media_types.EPUB)
        book.writestr(
            "META-INF/container.xml",
            '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="b.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        book.writestr(
            "b.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="i">x</dc:identifier><dc:title>O livro da '
            f"luz</dc:title><dc:language>pt</dc:language></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        for number, chapter in enumerate(chapters):
            page = f'<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><body>{chapter}</body></html>'
            book.writestr(f"c{number}.xhtml", page)
    return target.getvalue()


def test_an_epub_is_read_chapter_by_chapter():
    note = '<p>Há luz<a href="#n1" epub:type="noteref" xmlns:epub="http://www.idpf.org/2007/ops">1</a>.</p>'
    document = read(epub(f"<h1>Começo</h1><p>{SENTENCE}</p><h2>Detalhe</h2>{note}", "<h1>Fim</h1><p>Acabou.</p>"))
    assert document.title == "O livro da luz"
    assert outline(document) == [(1, "Começo"), (2, "Detalhe"), (1, "Fim")]
    assert SENTENCE in texts(document)


def test_notes_of_an_epub_are_no_part_of_its_last_chapter():
    ops = 'xmlns:epub="http://www.idpf.org/2007/ops"'
    note = f'<p>Há luz<a href="#n1" epub:type="noteref" {ops}>1</a>.</p>'
    aside = f'<aside id="n1" epub:type="footnote" {ops}><p>De dia.</p></aside>'
    document = read(epub(f"<h1>Começo</h1>{note}{aside}", "<h1>Fim</h1><p>Acabou.</p>"))
    assert texts(document) == ["Começo", "Há luz.", "Fim", "Acabou.", "Notas", "De dia."]
    assert outline(document)[-1] == (1, "Notas")


def test_rtf_without_libreoffice_is_read_by_pandoc(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    source = b"{\\rtf1\\ansi\\ansicpg1252 A produ\\'e7\\'e3o n\\'e3o p\\'e1ra.\\par Fim.\\par}"
    assert texts(read(source)) == ["A produção não pára.", "Fim."]


def test_legacy_documents_without_libreoffice_say_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    for kind, instead in ((media_types.DOC, "DOCX"), (media_types.PPT, "PPTX")):
        with pytest.raises(errors.MissingConverter, match=f"(?s)LibreOffice.*as {instead}"):
            check(b"x", kind, LIMITS)


def test_a_damaged_legacy_document_is_named_so(made: dict[str, bytes]):
    assert legacy_office.libreoffice(media_types.DOC).is_file()
    with pytest.raises(errors.BrokenDocument):
        read(made["doc"][:2048] + bytes(13_824) + made["doc"][15_872:])


def test_a_program_that_takes_too_long_is_stopped(tmp_path: Path):
    limits = LIMITS.model_copy(update={"timeout_s": 0.5})
    with pytest.raises(errors.ParserDied, match="INGEST__PARSE_TIMEOUT_S"):
        programs.run(["/bin/sleep", "60"], folder=tmp_path, stdin=b"", limits=limits)
