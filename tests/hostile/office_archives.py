"""Office documents whose ZIP is a bomb, a lie, a ruin or a locked box."""

import io
import zipfile

from tests.hostile.archives import (
    Member,
    deflated,
    docx_parts,
    epub_parts,
    member,
    odt_parts,
    paragraph,
    raw_zip,
    xlsx_parts,
    zipped,
)
from tests.hostile.case import ANYTHING, DAMAGED, READY, REFUSED, TOO_MUCH, TURNED_AWAY, Cases
from tests.hostile.packing import deflate_bomb

case = Cases()

MAX_UNPACKED_MB = 32
"""What the tests set INGEST__MAX_UNPACKED_MB to."""
UNPACKED = ("INGEST__MAX_UNPACKED_MB",)
PASSWORD = ("password",)
DOCUMENT = paragraph("A carambola sobrevive.")
GIGABYTE = deflate_bomb(1 << 30)[2:-4]


def _docx(*more: Member) -> list[Member]:
    return [member(name, data) for name, data in docx_parts(DOCUMENT).items()] + list(more)


def _with_bomb(parts: dict[str, bytes], name: str) -> bytes:
    """One part is a gigabyte of blanks, or, after a member that must be stored plain, 64 MiB."""
    if "mimetype" in parts:
        return zipped({**parts, name: b" " * (2 * MAX_UNPACKED_MB << 20)})
    honest = [member(key, data) for key, data in parts.items() if key != name]
    return raw_zip([*honest, Member(name, GIGABYTE, 1 << 30)])


@case("bomba.docx", TURNED_AWAY, says=UNPACKED)
def a_docx_that_unpacks_to_a_gigabyte() -> bytes:
    return _with_bomb(docx_parts(DOCUMENT), "word/document.xml")


@case("bomba.xlsx", TURNED_AWAY, says=UNPACKED)
def an_xlsx_whose_strings_unpack_to_a_gigabyte() -> bytes:
    return _with_bomb(xlsx_parts(""), "xl/sharedStrings.xml")


@case("bomba.odt", TURNED_AWAY, says=UNPACKED)
def an_odt_over_the_limit() -> bytes:
    return _with_bomb(odt_parts("<t:p>x</t:p>"), "content.xml")


@case("bomba.epub", TURNED_AWAY, says=UNPACKED)
def an_epub_over_the_limit() -> bytes:
    return _with_bomb(epub_parts("<p>x</p>"), "c.xhtml")


@case("bomba.pptx", TURNED_AWAY, says=UNPACKED)
def a_pptx_with_a_picture_of_a_gigabyte() -> bytes:
    return raw_zip([*(member(n, d) for n, d in _pptx().items()), Member("ppt/media/image1.png", GIGABYTE, 1 << 30)])


@case("mentira.docx", ANYTHING, says=(*UNPACKED, *DAMAGED, *TOO_MUCH))
def a_gigabyte_that_declares_ten_bytes() -> bytes:
    rest = [each for each in _docx() if each.name != "word/document.xml"]
    return raw_zip([*rest, Member("word/document.xml", GIGABYTE, 10)])


@case("sobreposto.docx", TURNED_AWAY, says=(*UNPACKED, *DAMAGED))
def members_that_share_their_bytes() -> bytes:
    core = deflated(b" " * (8 << 20))
    names = ["[Content_Types].xml", "word/document.xml", *(f"word/media/{n}.png" for n in range(2000))]
    return raw_zip([Member(name, core, 8 << 20) for name in names], overlapping=True)


@case("muitos.docx", TURNED_AWAY, says=(*UNPACKED, *DAMAGED, "parts"))
def sixty_thousand_members() -> bytes:
    empty = deflated(b"")
    return raw_zip(_docx(*(Member(f"word/x{n}.xml", empty, 0) for n in range(60_000))))


@case("boneca.docx", ANYTHING, says=(*UNPACKED, *DAMAGED), finds="carambola")
def archives_in_archives() -> bytes:
    """As in 42.zip: sixteen in each of five levels; nobody may open them."""
    inner = raw_zip([Member("bomba", GIGABYTE, 1 << 30)])
    for _ in range(4):
        inner = zipped({f"{n}.zip": inner for n in range(16)})
    return raw_zip(_docx(member("word/embeddings/oleObject1.zip", inner)))


@case("corte.docx", TURNED_AWAY, says=(*DAMAGED, "only a part"))
def a_docx_cut_in_the_middle() -> bytes:
    whole = zipped(docx_parts(DOCUMENT * 2000))
    return whole[: len(whole) // 2]


@case("faltam.docx", TURNED_AWAY, says=DAMAGED)
def a_docx_without_its_text() -> bytes:
    parts = docx_parts(DOCUMENT)
    parts["word/styles.xml"] = b"<x/>"
    return zipped({name: data for name, data in parts.items() if name != "word/document.xml"})


@case("faltam.xlsx", ANYTHING, says=DAMAGED)
def a_workbook_without_its_sheets() -> bytes:
    return zipped({name: data for name, data in xlsx_parts("").items() if "sheet1" not in name})


@case("crc.docx", TURNED_AWAY, says=DAMAGED)
def a_docx_of_flipped_bits() -> bytes:
    whole = bytearray(zipped(docx_parts(DOCUMENT)))
    start = whole.index(b"word/document.xml")
    for place in range(start + 30, start + 60):
        whole[place] ^= 0xFF
    return bytes(whole)


@case("cofre.docx", TURNED_AWAY, says=PASSWORD)
def members_behind_a_password() -> bytes:
    return raw_zip([Member(m.name, m.packed, m.size, m.crc, flags=1) for m in _docx()])


@case("segredo.docx", REFUSED, says=PASSWORD)
def an_office_document_behind_a_password() -> bytes:
    """What Word writes then: an OLE file with the stream EncryptedPackage."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header[24:34] = b"\x3e\x00\x03\x00\xfe\xff\x09\x00\x06\x00"
    header[44:48], header[48:52] = b"\x01\x00\x00\x00", b"\x01\x00\x00\x00"
    header[56:60], header[60:64] = b"\x00\x10\x00\x00", b"\xfe\xff\xff\xff"
    header[68:72], header[76:80] = b"\xfe\xff\xff\xff", b"\x00\x00\x00\x00"
    header[80:] = b"\xff" * 432
    table = b"\xfd\xff\xff\xff\xfe\xff\xff\xff" + b"\xff" * 504
    directory = b"".join(_ole_entry(name) for name in ("Root Entry", "EncryptionInfo", "EncryptedPackage", ""))
    return bytes(header) + table + directory


@case("travessia.docx", ANYTHING, says=DAMAGED, finds="carambola")
def members_that_climb_out_of_the_folder() -> bytes:
    names = ("../../../../tmp/xgtwin-fugiu", "/tmp/xgtwin-fugiu", "..\\..\\xgtwin-fugiu", "word/../../x")
    return raw_zip(_docx(*(member(name, b"fora") for name in names)))


@case("macros.docm", READY, finds="carambola")
def a_document_with_macros() -> bytes:
    parts = docx_parts(DOCUMENT, main="document.macroEnabled.main")
    return zipped({**parts, "word/vbaProject.bin": b"\xd0\xcf\x11\xe0" + b"AutoOpen Shell" * 100})


@case("macros.xlsm", READY, finds="carambola")
def a_workbook_with_macros() -> bytes:
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>A carambola calcula.</t></is></c></row>'
    return zipped({**xlsx_parts(rows), "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + b"Workbook_Open" * 100})


@case("repetido.docx", ANYTHING, says=DAMAGED)
def two_members_of_the_same_name() -> bytes:
    return raw_zip([*_docx(), member("word/document.xml", docx_parts(paragraph("Outra."))["word/document.xml"])])


def _ole_entry(name: str) -> bytes:
    entry = bytearray(128)
    text = name.encode("utf-16-le")
    entry[: len(text)] = text
    entry[64:66] = (len(text) + 2 if name else 0).to_bytes(2, "little")
    entry[66] = 5 if name == "Root Entry" else 2 if name else 0
    entry[68:80] = b"\xff" * 12
    return bytes(entry)


def _pptx() -> dict[str, bytes]:
    from pptx import Presentation

    target = io.BytesIO()
    show = Presentation()
    show.slides.add_slide(show.slide_layouts[0]).shapes.title.text = "A carambola em slides."
    show.save(target)
    with zipfile.ZipFile(target) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
