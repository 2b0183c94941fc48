"""What a file is, by its bytes."""

import pytest

from ingest_service.parsing.sniff import MARKDOWN, PDF, PLAIN, sniff
from shared.errors import UnsupportedMedia


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (b"%PDF-1.7 ...", "a.pdf", PDF),
        (b"%PDF-1.7 ...", "a.txt", PDF),
        (b"Received: by mail\r\n\r\n%PDF-1.4", "a.pdf", PDF),
        ("Olá, produção.".encode(), "a.txt", PLAIN),
        ("Olá, produção.".encode("cp1252"), "a.txt", PLAIN),
        ("Olá, produção.".encode("utf-16"), "a.txt", PLAIN),
        (b"# Titulo", "a.md", MARKDOWN),
        (b"# Titulo", "a.pdf", PLAIN),
        (b"MZ foi o assunto da reuniao.", "ata.txt", PLAIN),
        (b"BM e uma sigla.", "sigla.txt", PLAIN),
    ],
)
def test_the_content_decides_and_the_name_only_tells_markdown_from_text(head: bytes, name: str, expected: str):
    assert sniff(head, name) == expected


@pytest.mark.parametrize(
    ("head", "name", "says"),
    [
        (b"MZ\x90\x00", "a.pdf", "program"),
        (b"MZ only letters", "virus.exe", "program"),
        (b"\x7fELF\x02\x01", "a.txt", "program"),
        (b"PK\x03\x04\x14\x00", "a.docx", "Save it as PDF"),
        (b"  <!DOCTYPE HTML><html>", "a.txt", "HTML"),
        (b"{\\rtf1\\ansi", "a.txt", "RTF"),
        (b"\x00\x01\x02", "a", "binary"),
    ],
)
def test_what_cannot_be_read_is_named_with_advice(head: bytes, name: str, says: str):
    with pytest.raises(UnsupportedMedia, match=says):
        sniff(head, name)
