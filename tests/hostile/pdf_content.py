"""PDFs whose pages explode, never end, act, or show what is not there."""

import zlib

from tests.hostile.case import ANYTHING, DAMAGED, NO_TEXT, READY, TOO_MUCH, Cases
from tests.hostile.packing import deflate_bomb
from tests.hostile.pdf_parts import one_page, stream, text

case = Cases()

FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 600 850] "
FONT = b"/Font << /F1 5 0 R >> "


def _image(width: int, height: int, entries: bytes, data: bytes) -> bytes:
    head = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceGray %s"
    image = stream(data, head % (width, height, entries))
    return one_page(b"q 500 0 0 700 40 40 cm /I Do Q", resources=b"/XObject << /I 10 0 R >>", more={10: image})


@case("risadas.pdf", ANYTHING, says=TOO_MUCH)
def a_billion_laughing_forms() -> bytes:
    """Ten levels of forms that each draw the next one ten times."""
    forms = {
        10 + n: stream(b"/X Do " * 10, FORM + b"/Resources << %s /XObject << /X %d 0 R >> >>" % (FONT, 11 + n))
        for n in range(10)
    }
    forms[20] = stream(text("ha"), FORM + b"/Resources << %s >>" % FONT)
    return one_page(b"/X Do", resources=b"/XObject << /X 10 0 R >>", more=forms)


@case("espelho.pdf", ANYTHING, says=(*TOO_MUCH, *DAMAGED))
def a_form_that_draws_itself() -> bytes:
    form = stream(b"/X Do /X Do", FORM + b"/Resources << /XObject << /X 10 0 R >> >>")
    return one_page(b"/X Do " + text("espelho"), resources=b"/XObject << /X 10 0 R >>", more={10: form})


@case("inflavel.pdf", ANYTHING, says=TOO_MUCH)
def a_page_of_a_gigabyte() -> bytes:
    return one_page(more={4: stream(deflate_bomb(1 << 30, b"q Q "), b"/Filter /FlateDecode")})


@case("bombinha.pdf", ANYTHING, says=TOO_MUCH)
def a_bomb_packed_twice() -> bytes:
    twice = zlib.compress(deflate_bomb(2 << 30), 9)
    return one_page(more={4: stream(twice, b"/Filter [/FlateDecode /FlateDecode]")})


@case("filtros.pdf", ANYTHING, says=(*TOO_MUCH, *DAMAGED))
def ten_thousand_filters() -> bytes:
    return one_page(more={4: stream(text("filtro"), b"/Filter [" + b"/ASCIIHexDecode " * 10_000 + b"]")})


@case("repete.pdf", ANYTHING, says=TOO_MUCH)
def one_stream_drawn_half_a_million_times() -> bytes:
    contents = b"[" + b"6 0 R " * 500_000 + b"]"
    return one_page(page=b"/Contents " + contents, more={6: stream(text("eco") * 20)})


@case("linha.pdf", ANYTHING, says=TOO_MUCH)
def a_line_of_ten_million_letters() -> bytes:
    return one_page(b"BT /F1 1 Tf (" + b"letra " * 1_700_000 + b") Tj ET")


@case("tipo3.pdf", ANYTHING, says=(*TOO_MUCH, *DAMAGED))
def a_font_whose_letters_write_themselves() -> bytes:
    font = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 97 "
        b"/Widths [1] /Encoding << /Differences [97 /a] >> /CharProcs << /a 10 0 R >> "
        b"/Resources << /Font << /F1 5 0 R >> >> >>"
    )
    letter = stream(b"1 0 d0 BT /F1 1 Tf (aaaa) Tj ET")
    return one_page(text("aaaa"), more={5: font, 10: letter})


@case("cmap.pdf", ANYTHING, says=TOO_MUCH)
def a_character_map_without_end() -> bytes:
    ranges = b"100 beginbfrange\n" + b"<0000> <FFFF> <0041>\n" * 100 + b"endbfrange\n"
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 10 0 R /DescendantFonts "
        b"[<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (A) /Ordering (I) "
        b"/Supplement 0 >> >>] >>"
    )
    return one_page(b"BT /F1 9 Tf 9 9 Td <00410042> Tj ET", more={5: font, 10: stream(ranges * 500)})


@case("caixa.pdf", ANYTHING, says=(*TOO_MUCH, *DAMAGED), finds="pitanga")
def a_page_as_large_as_a_country() -> bytes:
    return one_page(text("A pitanga distante."), media_box=b"[0 0 1000000000 1000000000]")


@case("nan.pdf", ANYTHING, says=(*TOO_MUCH, *DAMAGED), finds="pitanga")
def a_page_whose_size_is_not_a_number() -> bytes:
    return one_page(text("A pitanga distante."), media_box=b"[0 NaN /x 1e999]")


@case("avesso.pdf", ANYTHING, says=(*TOO_MUCH, *DAMAGED), finds="pitanga")
def a_page_turned_inside_out() -> bytes:
    return one_page(text("A pitanga distante."), media_box=b"[595 842 -595 -842]", page=b"/UserUnit -1e30 /Rotate 45")


@case("acoes.pdf", READY, finds="seriguela")
def scripts_and_programs_to_start(url: str) -> bytes:
    address = url.encode()
    actions = (
        b"/OpenAction << /S /JavaScript /JS (app.launchURL\\('%s'\\)) >> "
        b"/AA << /WC << /S /Launch /F (/bin/sh) /Win << /F (cmd.exe) >> >> >> "
        b"/URI << /Base (%s) >> /AcroForm << /XFA 10 0 R >>"
    ) % (address, address)
    form = stream(b"<?xml version='1.0'?><xdp><script>xfa.host.gotoURL('%s')</script></xdp>" % address)
    return one_page(text("A seriguela quieta."), catalog=actions, more={10: form})


@case("anexo.pdf", READY, finds="seriguela")
def a_program_among_its_attachments() -> bytes:
    names = b"/Names << /EmbeddedFiles << /Names [(virus.exe) 10 0 R] >> >>"
    return one_page(
        text("A seriguela com anexo."),
        catalog=names,
        more={
            10: b"<< /Type /Filespec /F (virus.exe) /EF << /F 11 0 R >> >>",
            11: stream(b"MZ" + bytes(1000), b"/Type /EmbeddedFile"),
        },
    )


@case("externo.pdf", ANYTHING, says=DAMAGED)
def a_page_that_lies_elsewhere(url: str) -> bytes:
    """Its content is an external file and its form a page of another document."""
    form = stream(b"", FORM + b"/Ref << /F << /FS /URL /F (%s/outro.pdf) >> /Page 0 >>" % url.encode())
    content = b"<< /Length 0 /F << /FS /URL /F (%s/pagina) >> >>\nstream\n\nendstream" % url.encode()
    return one_page(resources=b"/XObject << /X 10 0 R >>", more={4: content, 10: form})


@case("sem-fonte.pdf", ANYTHING, says=DAMAGED)
def text_without_its_font() -> bytes:
    return one_page(text("Sem fonte nenhuma."), more={5: b"null"})


@case("jbig2.pdf", NO_TEXT)
def an_image_of_jbig2_noise() -> bytes:
    return _image(800, 1000, b"/Filter /JBIG2Decode", bytes(range(256)) * 40)


@case("jpx.pdf", NO_TEXT)
def an_image_of_jpeg2000_noise() -> bytes:
    return _image(800, 1000, b"/Filter /JPXDecode", b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(range(256)) * 40)


@case("pixel.pdf", NO_TEXT)
def one_pixel_that_claims_ten_billion() -> bytes:
    return _image(100_000, 100_000, b"", b"\x00")


@case("imagem.pdf", NO_TEXT)
def an_image_of_four_gigabytes() -> bytes:
    return _image(60_000, 60_000, b"/Filter /FlateDecode", deflate_bomb(1 << 30, b"\x7f"))


@case("azulejos.pdf", ANYTHING, says=TOO_MUCH)
def a_pattern_of_a_billion_tiles() -> bytes:
    pattern = stream(
        b"0 0 1 1 re f",
        b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep .001 /YStep .001 "
        b"/Resources << >>",
    )
    content = b"/Pattern cs /P scn 0 0 595 842 re f"
    return one_page(content, resources=b"/Pattern << /P 10 0 R >>", more={10: pattern})
