"""HTML, XML and e-mail: what a reader sees of them, in whatever bytes it comes."""

import base64
import re

import pytest

from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.errors import BrokenDocument
from tests.integration.ingest.scans import image_bytes, pdf_of, printed
from tests.unit.ingest.formats.office_files import SENTENCE, guide
from tests.unit.ingest.formats.reading import outline, read, texts

PAGE = f"""<!DOCTYPE html><html><head><title>Manual da bancada</title><style>p {{ color: red }}</style></head><body>
<nav><a href="/">Início</a></nav><script>alert(1)</script>
<form action="/"><h1>Bancada</h1><p>{SENTENCE}</p>
<h2>Passos</h2><ol><li>Ligar.</li><li>Medir.</li></ol><figure><img src="http://127.0.0.1:9/x.png" alt="x.png">
<figcaption>Figura 1: a bancada.</figcaption></figure><details><summary>Aviso</summary>Cuidado com a fonte.</details>
<table><tr><th>Sala</th><th colspan=2>Valores</th></tr><tr><td rowspan=2>A12</td><td>1</td><td>2</td></tr>
<tr><td>3</td><td>4</td></tr></table><p hidden>Escondido.</p>
<p style="display:none">Invisível.</p></form></body></html>"""


def test_a_page_gives_what_a_reader_sees_and_nothing_else():
    document = read(PAGE.encode(), "pagina.txt")
    assert document.title == "Manual da bancada"
    assert outline(document) == [(1, "Bancada"), (2, "Passos")]
    assert texts(document) == [
        "Bancada",
        SENTENCE,
        "Passos",
        "Ligar.",
        "Medir.",
        "Figura 1: a bancada.",
        "Aviso",
        "Cuidado com a fonte.",
        "| Sala | Valores |\n| --- | --- | --- |\n| A12 | 1 | 2 |\n| A12 | 3 | 4 |",
    ]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("10<sup>9</sup> bits de H<sub>2</sub>O", "10⁹ bits de H₂O"),
        ("2<sup>k+1</sup> e x<sup><i>n</i>-1</sup>", "2^(k+1) e xⁿ⁻¹"),
        ("o 1<sup>o</sup> de 2020<sup><a href='#n1'>1</a></sup>", "o 1º de 2020 ¹"),
        ("5<sup>th</sup> e V<sub>max</sub>, v. <sup>[1]</sup>", "5th e Vmax, v. [1]"),
    ],
)
def test_an_exponent_is_not_a_digit_more(source: str, seen: str):
    assert texts(read(f"<html><body><p>{source} aqui.</p></body></html>".encode())) == [f"{seen} aqui."]


def test_the_caption_of_a_table_stands_above_it():
    table = "<table><caption>Tabela 1: <b>salas</b></caption><tr><th>Sala</th></tr><tr><td>A12</td></tr></table>"
    page = f"<html><body><p>Antes.</p>{table}</body></html>"
    assert texts(read(page.encode())) == ["Antes.", "Tabela 1: salas", "| Sala |\n| --- |\n| A12 |"]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", ""),
        ("cp1252", ""),
        ("cp1252", "iso-8859-1"),
        ("utf-16", ""),
        ("utf-8", "iso-8859-1"),
        ("utf-8-sig", "utf-8"),
        ("mac-roman", "macintosh"),
        ("cp1252", "utf-8"),
        ("cp1252", "utf-7"),
    ],
)
def test_a_page_is_decoded_as_it_was_meant(encoding: str, declared: str):
    page = f"<html><head><meta charset='{declared}'></head><body><p>{SENTENCE} “Sim”</p></body></html>"
    assert texts(read(page.encode(encoding))) == [f"{SENTENCE} “Sim”"]


def test_sloppy_nesting_loses_no_text():
    page = f"<html><body><p>Antes.</p>{'<font><div>' * 600}<p>{SENTENCE}</p></body></html>"
    assert texts(read(page.encode())) == ["Antes.", SENTENCE]


def test_bottomless_nesting_says_so_instead_of_losing_text():
    with pytest.raises(BrokenDocument, match="2000 deep"):
        read(f"<html><body>{'<div>' * 100_000}fundo</body></html>".encode())


def test_svg_and_xml_give_their_text():
    drawing = "<svg><title>Mapa</title><g><text>Sala <tspan>A12</tspan></text></g>no alto<script>mal()</script></svg>"
    assert read(drawing.encode()).title == "Mapa"
    assert texts(read(drawing.encode())) == ["Mapa Sala A12 no alto"]
    records = "<?xml version='1.0'?><notas><!-- de 2026 --><aluno><nome>João</nome><nota>8,5</nota></aluno></notas>"
    assert texts(read(records.encode())) == ["João", "8,5"]


def mail(*parts: str, head: str = "", subject: str = "=?iso-8859-1?Q?Reuni=E3o_de_ter=E7a?=") -> bytes:
    lines = [
        "From: =?utf-8?q?Jo=C3=A3o?= Reis <joao@lab.br>",
        "To: Ana <ana@lab.br>",
        f"Subject: {subject}",
        "Date: Sat, 21 Nov 2026 14:50:34 -0300",
        "MIME-Version: 1.0",
        head or 'Content-Type: multipart/mixed; boundary="X"',
    ]
    body = "".join(f"--X\r\n{part}\r\n" for part in parts) + "--X--\r\n" if parts else SENTENCE
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def attached(name: str, data: bytes, kind: str = "application/octet-stream") -> str:
    encoded = base64.b64encode(data).decode()
    return (
        f'Content-Type: {kind}\r\nContent-Disposition: attachment; filename="{name}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{encoded}"
    )


TEXT = (
    "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    "A reuni=E3o =E9 =E0s 15h."
)
HEADER = "De: João Reis <joao@lab.br>\nPara: Ana <ana@lab.br>\nData: 21/11/2026 14:50"


def test_a_message_says_who_wrote_it_when_and_what():
    document = read(mail(TEXT), "recado.txt")
    assert document.title == "Reunião de terça"
    assert texts(document) == ["Reunião de terça", HEADER, "A reunião é às 15h."]


def test_of_alternatives_the_page_is_read_and_read_once():
    page = "Content-Type: text/html; charset=utf-8\r\n\r\n<p>A reunião é às 15h.</p><ul><li>Pauta</li></ul>"
    document = read(mail(TEXT, page, head='Content-Type: multipart/alternative; boundary="X"'))
    assert [(block.kind, block.text) for block in document.blocks[2:]] == [
        (BlockKind.PARAGRAPH, "A reunião é às 15h."),
        (BlockKind.LIST_ITEM, "Pauta"),
    ]


def test_attachments_are_sections_of_the_message():
    document = read(mail(TEXT, attached("guia.docx", guide())))
    assert outline(document) == [
        (1, "Reunião de terça"),
        (2, "guia.docx"),
        (3, "Introdução"),
        (4, "Medição"),
        (3, "Conclusão"),
    ]
    assert SENTENCE in texts(document)
    assert {block.page for block in document.blocks} == {None}


def test_attachments_that_cannot_be_read_are_named_and_the_rest_is_kept():
    document = read(mail(TEXT, attached("mal.exe", b"MZ\x90\x00"), attached("cortado.docx", guide()[:900])))
    assert "A reunião é às 15h." in texts(document)
    assert "mal.exe" in document.note
    assert "cortado.docx" in document.note


def test_scanned_attachments_are_named_wholly_or_by_their_pages():
    image = printed(["Edital de matrículas"], dpi=50)
    scan, mixed = pdf_of([image]), pdf_of([["A página com texto, que se lê sem olhar imagem alguma."], image])
    photo = image_bytes(image, "PNG")
    document = read(mail(TEXT, attached("edital.pdf", scan), attached("misto.pdf", mixed), attached("foto.png", photo)))
    assert outline(document) == [(1, "Reunião de terça"), (2, "misto.pdf")]
    assert re.search(r"edital\.pdf \(.*pages: 1\), misto\.pdf \(.*pages: 2\), foto\.png \(", document.note)


def test_an_attachment_without_a_word_is_named():
    assert "vazio.csv (no text)" in read(mail(TEXT, attached("vazio.csv", b" \n \n"))).note


@pytest.mark.parametrize("kind", ["message/rfc822", "application/octet-stream"])
def test_a_forwarded_message_is_read_with_its_attachments(kind: str):
    inner = mail(TEXT, attached("dados.csv", "Sala;Tensão\nA12;12,5".encode()), subject="Dados")
    part = (
        f"Content-Type: {kind}\r\nContent-Disposition: attachment; filename=dados.eml\r\n\r\n{inner.decode()}".replace(
            "X", "Y"
        )
    )
    document = read(mail(part))
    assert "| Sala | Tensão |\n| --- | --- |\n| A12 | 12,5 |" in texts(document)
    assert texts(document).count(HEADER) == 2


def test_messages_within_messages_end_somewhere():
    message = mail(TEXT)
    for number in range(10):
        message = mail(attached("mais.eml", message), subject=f"Camada {number}")
    document = read(message)
    assert "Camada 6" in texts(document)
    assert "Camada 5" not in texts(document)
    assert "mais.eml" in document.note


def test_raw_letters_in_headers_are_read_as_text_files_are():
    source = mail(subject="Reunião", head="Content-Type: text/plain; charset=utf-8").replace(
        "Reunião".encode(), "Reunião".encode("cp1252")
    )
    assert read(source).title == "Reunião"
