"""PDFs whose skeleton lies: page counts, trees, cross-references, lengths, encryption, halves of files."""

import io
import random

import pikepdf

from tests.hostile.case import ANYTHING, DAMAGED, QUARANTINED, READY, REFUSED, TOO_MUCH, TURNED_AWAY, Cases
from tests.hostile.pdf_parts import one_page, stream, text, written
from tests.integration.ingest.documents import pdf, pdf_without_pages, protected_pdf

case = Cases()

MAX_PAGES = 300
"""What the tests set INGEST__MAX_PAGES to."""


def _with_count(count: bytes) -> bytes:
    tree = b"<< /Type /Pages /Kids [3 0 R] /Count %s >>" % count
    return one_page(text("A pagina mentirosa do abacaxi."), more={2: tree})


@case("conta-negativa.pdf", ANYTHING, says=DAMAGED, finds="abacaxi")
def negative_page_count() -> bytes:
    return _with_count(b"-7")


@case("conta-enorme.pdf", ANYTHING, says=(*DAMAGED, "INGEST__MAX_PAGES"), finds="abacaxi")
def huge_page_count() -> bytes:
    return _with_count(b"2147483647")


@case("conta-texto.pdf", ANYTHING, says=DAMAGED, finds="abacaxi")
def page_count_that_is_no_number() -> bytes:
    return _with_count(b"(muitas)")


@case("laco.pdf", ANYTHING, says=("damaged", "no pages"))
def page_tree_that_contains_itself() -> bytes:
    return one_page(text("laco"), more={2: b"<< /Type /Pages /Kids [2 0 R 3 0 R 2 0 R] /Count 3 >>"})


@case("fundo.pdf", ANYTHING, says=("damaged", "no pages"), finds="jabuticaba")
def page_tree_of_two_thousand_levels() -> bytes:
    depth = 2000
    nodes = {
        10 + n: b"<< /Type /Pages /Parent %d 0 R /Kids [%d 0 R] /Count 1 >>" % (9 + n if n else 2, 11 + n)
        for n in range(depth)
    }
    nodes[10 + depth - 1] = b"<< /Type /Pages /Parent %d 0 R /Kids [3 0 R] /Count 1 >>" % (8 + depth)
    root = b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>"
    return one_page(text("A jabuticaba no fundo."), more={2: root, **nodes})


@case("colchetes.pdf", ANYTHING, says=(*DAMAGED, "brought its reader down", "no pages"), finds="goiaba")
def a_hundred_thousand_nested_arrays() -> bytes:
    return one_page(text("A goiaba profunda."), page=b"/Extra " + b"[" * 100_000 + b"]" * 100_000)


@case("dicionarios.pdf", ANYTHING, says=(*DAMAGED, "brought its reader down", "no pages"), finds="goiaba")
def a_hundred_thousand_nested_dictionaries() -> bytes:
    return one_page(text("A goiaba profunda."), catalog=b"/Extra " + b"<</A " * 100_000 + b"1" + b">>" * 100_000)


@case("sumario.pdf", ANYTHING, says=TOO_MUCH, finds="maracujá")
def outline_that_never_ends() -> bytes:
    return one_page(
        text("O sumario do maracuj\xe1."),
        catalog=b"/Outlines 6 0 R",
        more={
            6: b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>",
            7: b"<< /Title (volta) /Parent 7 0 R /Next 7 0 R /Prev 7 0 R /First 7 0 R /Last 7 0 R >>",
        },
    )


@case("senha.pdf", REFUSED, says=("password",))
def a_user_password() -> bytes:
    return protected_pdf()


@case("so-dono.pdf", READY, finds="cupuaçu")
def an_owner_password_only() -> bytes:
    """Everybody may read it; only its owner may change it."""
    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf(["O cupuaçu é de todos."]))) as document:
        document.save(target, encryption=pikepdf.Encryption(owner="dono", user="", R=6))
    return target.getvalue()


@case("cifra.pdf", TURNED_AWAY, says=("password", "damaged", "protected"))
def an_unknown_encryption() -> bytes:
    return written(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [] /Count 0 >>",
            3: b"<< /Filter /Evil >>",
        },
        trailer=b"/Encrypt 3 0 R /ID [<00><00>]",
    )


def _cut(share: float) -> bytes:
    whole = pdf([f"A amora da página {n}." for n in range(1, 11)])
    return whole[: int(len(whole) * share)]


@case("corte10.pdf", TURNED_AWAY, says=DAMAGED)
def truncated_at_10_percent() -> bytes:
    return _cut(0.1)


@case("corte50.pdf", READY | QUARANTINED, says=DAMAGED, finds="amora")
def truncated_at_50_percent() -> bytes:
    return _cut(0.5)


@case("corte90.pdf", READY | QUARANTINED, says=DAMAGED, finds="amora")
def truncated_at_90_percent() -> bytes:
    return _cut(0.9)


@case("vazio.pdf", REFUSED, says=("0 bytes",))
def no_bytes() -> bytes:
    return b""


@case("nada.pdf", REFUSED, says=("no pages",))
def no_pages() -> bytes:
    return pdf_without_pages()


@case("cabeca.pdf", TURNED_AWAY, says=DAMAGED)
def nothing_but_a_header() -> bytes:
    return b"%PDF-1.7\n"


@case("ruido.pdf", TURNED_AWAY, says=DAMAGED)
def a_header_and_noise() -> bytes:
    return b"%PDF-1.7\n" + random.Random(7).randbytes(200_000)


@case("paginas.pdf", REFUSED, says=("INGEST__MAX_PAGES",))
def more_pages_than_allowed() -> bytes:
    return pdf([f"Página {n}" for n in range(MAX_PAGES + 1)])


@case("cem-mil.pdf", TURNED_AWAY, says=("INGEST__MAX_PAGES",))
def a_hundred_thousand_pages() -> bytes:
    kids = b"3 0 R " * 100_000
    return one_page(text("cem mil"), more={2: b"<< /Type /Pages /Kids [%s] /Count 100000 >>" % kids})


@case("xref.pdf", ANYTHING, says=DAMAGED, finds="graviola")
def cross_reference_tables_in_a_circle() -> bytes:
    data = one_page(text("A graviola resiste."))
    start = data.rindex(b"xref\n0")
    return data.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % start)


@case("objstm.pdf", ANYTHING, says=("damaged", "no pages"))
def an_object_stream_that_lies_in_itself() -> bytes:
    body = bytearray(b"%PDF-1.7\n")
    place = len(body)
    body += b"4 0 obj\n" + stream(b"1 0 2 9 <<      >> <<    >>", b"/Type /ObjStm /N 2 /First 8 /Extends 4 0 R")
    body += b"\nendobj\n"
    table = bytes([0, 0, 0, 255, 2, 0, 4, 0, 2, 0, 4, 1, 0, 0, 0, 0, 2, 0, 4, 0])
    start = len(body)
    entries = b"/Type /XRef /Size 5 /W [1 2 1] /Root 1 0 R /Prev %d" % place
    body += b"5 0 obj\n" + stream(table, entries) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(body)


@case("comprimento.pdf", ANYTHING, says=DAMAGED, finds="caqui")
def a_stream_whose_length_is_itself() -> bytes:
    content = b"<< /Length 4 0 R >>\nstream\n%s\nendstream" % text("O caqui sem medida.")
    return one_page(more={4: content})


@case("negativo.pdf", ANYTHING, says=DAMAGED, finds="caqui")
def a_stream_of_negative_length() -> bytes:
    content = b"<< /Length -5000000 >>\nstream\n%s\nendstream" % text("O caqui sem medida.")
    return one_page(more={4: content})
