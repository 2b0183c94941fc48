"""Images larger than the machine, files that are two things at once, and files that are not what they are called."""

import io
import struct
import zlib

from tests.hostile.archives import docx_parts, paragraph, zipped
from tests.hostile.case import ANYTHING, READY, REFUSED, TOO_MUCH, Cases
from tests.hostile.packing import deflate_bomb
from tests.integration.ingest.documents import pdf

case = Cases()

PIXELS = ("pixels", "damaged", *TOO_MUCH)
FRAMES = ("INGEST__MAX_PAGES", "damaged", *TOO_MUCH)


def _png(width: int, height: int, packed: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _picture(kind: str) -> bytes:
    from PIL import Image

    target = io.BytesIO()
    Image.linear_gradient("L").resize((400, 400)).save(target, kind)
    return target.getvalue()


@case("bomba.png", ANYTHING, says=PIXELS)
def a_png_of_two_and_a_half_billion_pixels() -> bytes:
    return _png(50_000, 50_000, deflate_bomb(2_500_000_000, b"\x00"))


@case("mentira.png", ANYTHING, says=PIXELS)
def a_png_that_claims_more_than_it_has() -> bytes:
    return _png(0x7FFFFFFF, 0x7FFFFFFF, zlib.compress(b"\x00\x00"))


@case("comentario.png", ANYTHING, says=PIXELS)
def a_png_with_a_comment_of_a_gigabyte() -> bytes:
    data = b"nota\x00\x00" + deflate_bomb(1 << 30)
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    whole = _png(4, 4, zlib.compress(bytes(20)))
    return whole[:33] + chunk + whole[33:]


@case("corte.jpg", ANYTHING, says=PIXELS)
def a_jpeg_cut_in_the_middle() -> bytes:
    whole = _picture("JPEG")
    return whole[: len(whole) // 2]


@case("quadros.gif", ANYTHING, says=FRAMES)
def an_animation_of_ten_thousand_frames() -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 8, 8, 0) + b"\x02\x07\x84\x8f\xa9\xcb\xed\x0f\x63\x00"
    return head + frame * 10_000 + b"\x3b"


@case("laco.tiff", ANYTHING, says=FRAMES)
def a_tiff_whose_pages_never_end() -> bytes:
    size, black_is_zero, strip = ((256, 4, 8), (257, 4, 8)), ((258, 3, 8), (259, 3, 1), (262, 3, 1)), (273, 4, 200)
    entries = (*size, *black_is_zero, strip, (278, 4, 8), (279, 4, 64))
    pages = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in entries)
    return (b"II*\x00" + struct.pack("<I", 8) + pages + struct.pack("<I", 8)).ljust(200, b"\x00") + bytes(64)


@case("grande.bmp", ANYTHING, says=PIXELS)
def a_bmp_of_gigabytes_in_no_bytes() -> bytes:
    return b"BM" + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, 30_000, -30_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(100)


@case("ruido.webp", ANYTHING, says=PIXELS)
def a_webp_of_noise() -> bytes:
    return b"RIFF\xff\xff\xff\x7fWEBPVP8L" + bytes(range(256)) * 20


@case("pdf-e-zip.pdf", READY, finds="cagaita")
def a_pdf_that_is_a_zip_too() -> bytes:
    return pdf(["A cagaita dupla."]) + zipped({"programa.exe": b"MZ" + bytes(100)})


@case("pdf-e-html.pdf", READY, finds="cagaita")
def a_pdf_that_is_a_page_too(url: str) -> bytes:
    return f"<html><script src='{url}'>alert(1)</script><!--\n".encode() + pdf(["A cagaita dupla."])


@case("gif-e-js.gif", ANYTHING, says=PIXELS)
def an_image_that_is_a_script_too() -> bytes:
    return b"GIF89a/*" + bytes(40) + b"*/=1;alert(1);"


@case("instala.docx", REFUSED, says=("program",))
def a_program_in_front_of_a_docx() -> bytes:
    return b"MZ\x90\x00" + bytes(500) + zipped(docx_parts(paragraph("A cagaita atrás.")))


@case("programa.pdf", REFUSED, says=("program",))
def a_program_named_pdf() -> bytes:
    return b"MZ\x90\x00" + bytes(500)


@case("carta.txt", READY, finds="cagaita")
def a_docx_named_txt() -> bytes:
    return zipped(docx_parts(paragraph("A cagaita disfarçada.")))


@case("carta.docx", READY, finds="cagaita")
def a_pdf_named_docx() -> bytes:
    return pdf(["A cagaita trocada."])


@case("../../../etc/passwd", READY, finds="pitomba")
def a_name_that_climbs() -> bytes:
    return b"A pitomba sobe."


@case("\u202efdp.\u202cgpj.exe.txt", READY, finds="pitomba")
def a_name_read_backwards() -> bytes:
    return b"A pitomba vira."


@case("n" * 1000 + ".txt", READY, finds="pitomba")
def a_name_of_a_thousand_letters() -> bytes:
    return b"A pitomba estica."


@case("a\x01b\x7fc\x1b[31m.txt", READY, finds="pitomba")
def a_name_of_control_characters() -> bytes:
    return b"A pitomba controla."


@case("<img src=x onerror=aviso(1)>'; DROP TABLE documents;--.txt", READY, finds="pitomba")
def a_name_that_is_code() -> bytes:
    return b"A pitomba codifica."
