"""What a file is, by its bytes."""

import io
import zipfile

import pytest

from ingest_service.parsing import media_types as kinds
from ingest_service.parsing.registry import parser_of
from ingest_service.parsing.sniff import sniff
from shared.errors import UnsupportedMedia

MAIL = "Return-Path: <a@b.c>\r\nFrom: Ana <ana@lab.br>\r\nTo: Rui <rui@lab.br>\r\nSubject: Reunião\r\n\r\nOi.".encode()
OOXML = "[Content_Types].xml"


def archive(*names: str, mimetype: str = "") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        if mimetype:
            made.writestr("mimetype", mimetype)
        for name in names:
            made.writestr(name, "x" * 20_000)
    return target.getvalue()


def ole(*streams: str) -> bytes:
    """The header and the first directory sector of an OLE file with these streams."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header[0x1E] = 9
    header[0x30:0x34] = (1).to_bytes(4, "little")
    entries = b""
    for name in ("Root Entry", *streams):
        entry = bytearray(128)
        encoded = f"{name}\0".encode("utf-16-le")
        entry[: len(encoded)] = encoded
        entry[64:66] = len(encoded).to_bytes(2, "little")
        entries += bytes(entry)
    return bytes(header) + bytes(512) + entries


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"%PDF-1.7 ...", "a.pdf", kinds.PDF),
        (b"%PDF-1.7 ...", "a.txt", kinds.PDF),
        (b"Received: by mail\r\n\r\n%PDF-1.4", "a.pdf", kinds.PDF),
        (b"Todo arquivo assim comeca com %PDF-1.7 na primeira linha.", "a.txt", kinds.PLAIN),
        ("Olá, produção.".encode(), "a.txt", kinds.PLAIN),
        ("Olá, produção.".encode("cp1252"), "a.txt", kinds.PLAIN),
        ("Olá, produção.".encode("utf-16"), "a.txt", kinds.PLAIN),
        ("Olá, produção sem marca.".encode("utf-16-le"), "a.txt", kinds.PLAIN),
        (b"# Titulo", "a.md", kinds.MARKDOWN),
        (b"# Titulo", "a.pdf", kinds.PLAIN),
        (b"a;b\n1;2", "a.csv", kinds.CSV),
        (b"a;b\n1;2", "a.txt", kinds.PLAIN),
        (b"MZ foi o assunto da reuniao.", "ata.txt", kinds.PLAIN),
        (b"BM e uma sigla.", "sigla.txt", kinds.PLAIN),
        (b"  <!DOCTYPE HTML><html>", "a.txt", kinds.HTML),
        ("\ufeff<!-- nota --><html lang='pt'>".encode(), "a.txt", kinds.HTML),
        ("<html><body>ação</body></html>".encode("utf-16"), "a", kinds.HTML),
        (b"<?xml version='1.0'?><!DOCTYPE html><html xmlns='x'>", "a.xml", kinds.HTML),
        (b"<?xml version='1.0'?><svg xmlns='x'>", "a.xml", kinds.SVG),
        (b"<svg xmlns='x'>", "a.txt", kinds.SVG),
        (b"<?xml version='1.0'?><dados/>", "a.html", kinds.XML),
        (b"<h1>Um resto de pagina</h1>", "a.html", kinds.HTML),
        (b"{\\rtf1\\ansi", "a.doc", kinds.RTF),
        (MAIL, "a.txt", kinds.EML),
        (b"From: a@b.c\n\nOi", "a.eml", kinds.EML),
        (b"De: Ana\nPara: Rui\nAssunto: nada\n\nOi", "a.txt", kinds.PLAIN),
        (archive("docProps/app.xml", "word/document.xml", OOXML), "a.pdf", kinds.DOCX),
        (archive(OOXML, "word/document.xml", "word/embeddings/planilha.xlsx"), "a.zip", kinds.DOCX),
        (archive(OOXML, "ppt/presentation.xml"), "a", kinds.PPTX),
        (archive(OOXML, "xl/workbook.xml"), "a.xls", kinds.XLSX),
        (archive("content.xml", mimetype=kinds.ODT), "a", kinds.ODT),
        (archive("content.xml", mimetype=kinds.ODS), "a", kinds.ODS),
        (archive("content.xml", mimetype=f"{kinds.ODT}-template"), "a", kinds.ODT),
        (archive("META-INF/container.xml", mimetype=kinds.EPUB), "a", kinds.EPUB),
        (archive("OEBPS/a.xhtml", "META-INF/container.xml"), "a", kinds.EPUB),
        (ole("WordDocument", "ObjectPool", "Workbook"), "a", kinds.DOC),
        (ole("Workbook"), "a.doc", kinds.XLS),
        (ole("PowerPoint Document"), "a", kinds.PPT),
        (ole("EncryptionInfo", "EncryptedPackage"), "a.docx", kinds.ENCRYPTED_OFFICE),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a.pdf", kinds.PNG),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a", kinds.JPEG),
        (b"II*\x00\x08\x00\x00\x00", "a", kinds.TIFF),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "a", kinds.WEBP),
        (b"BM\x00\x10\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "a", kinds.BMP),
        (b"GIF89a\x01\x00", "a", kinds.GIF),
    ],
)
def test_the_content_decides_and_the_name_only_tells_kinds_of_text_apart(data: bytes, name: str, expected: str):
    assert sniff(data, name) == expected


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (b"MZ\x90\x00", "a.pdf", "program"),
        (b"MZ only letters", "virus.exe", "program"),
        (b"\x7fELF\x02\x01", "a.txt", "program"),
        (archive("a.pdf", "b.docx"), "a.zip", "ZIP archive that holds no document"),
        (archive(OOXML, "visio/document.xml"), "a.vsdx", "ZIP archive that holds no document"),
        (archive(OOXML, "word/document.xml")[:2000], "a.docx", "only a part of one"),
        (b"PK\x05\x06" + bytes(18), "a.docx", "ZIP archive"),
        (ole("__properties_version1.0"), "a.msg", "old Microsoft file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.doc", "old Microsoft file"),
        (b"\x1f\x8b\x08\x00 text", "a.gz", "seems to be"),
        (b"\x00\x01\x02", "a", "binary"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_can(data: bytes, name: str, says: str):
    with pytest.raises(UnsupportedMedia, match=says) as refusal:
        sniff(data, name)
    assert "DOCX" in refusal.value.detail


def test_every_kind_that_can_be_told_apart_can_be_read():
    told = {value for name, value in vars(kinds).items() if isinstance(value, str) and name.isupper() and "/" in value}
    told -= {kinds.ENCRYPTED_OFFICE, kinds.READABLE} | kinds.IMAGES
    assert len(told) > 15
    assert [kind for kind in told if parser_of(kind) is None] == []
