"""Pages, messages, rich text and drawings: nested without bottom, full of scripts, calling elsewhere."""

import base64

from tests.hostile.archives import zipped
from tests.hostile.case import ANYTHING, DAMAGED, ENTITIES, NESTED, READY, TOO_MUCH, Cases
from tests.hostile.office_xml import laughing, reaching

case = Cases()

MAIL = "From: a@exemplo.br\r\nTo: b@exemplo.br\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"


def _page(body: str, head: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head><title>Teste</title>{head}</head><body>{body}</body></html>".encode()


@case("divs.html", ANYTHING, says=(*TOO_MUCH, *NESTED))
def a_hundred_thousand_nested_divs() -> bytes:
    return _page("<div>" * 100_000 + "fundo" + "</div>" * 100_000)


@case("tabelas.html", ANYTHING, says=(*TOO_MUCH, *NESTED))
def five_thousand_nested_tables() -> bytes:
    return _page("<table><tr><td>" * 5000 + "fundo")


@case("scripts.html", READY, finds="araticum")
def scripts_frames_and_refreshes(url: str) -> bytes:
    head = (
        f'<meta http-equiv="refresh" content="0;url={url}"><script src="{url}/x.js"></script><base href="{url}/">'
        f"<link rel=stylesheet href='{url}/x.css'><script>alert(1)</script><style>@import '{url}/y.css';</style>"
    )
    body = (
        f'<p onclick="alert(2)">O araticum calmo.</p><iframe src="{url}/f"></iframe><img src="{url}/i.png">'
        f'<object data="{url}/o"></object><svg onload="alert(3)"><script>alert(4)</script></svg>'
        '<a href="javascript:alert(5)">aqui</a><iframe src="file:///etc/passwd"></iframe><template>alert(6)</template>'
    )
    return _page(body, head)


@case("xxe.html", READY, finds="araticum")
def entities_from_outside_in_a_page(url: str) -> bytes:
    return f"{reaching(url)}<html><body><p>O araticum &arquivo; &rede; aqui.</p></body></html>".encode()


@case("xxe.xhtml", ANYTHING, says=ENTITIES)
def entities_from_outside_in_a_strict_page(url: str) -> bytes:
    text = '<?xml version="1.0"?>' + reaching(url).replace("DOCTYPE x", "DOCTYPE html")
    return f"{text}<html xmlns='http://www.w3.org/1999/xhtml'><body><p>&arquivo; &rede;</p></body></html>".encode()


@case("xxe.svg", ANYTHING, says=ENTITIES)
def entities_from_outside_in_a_drawing(url: str) -> bytes:
    text = '<?xml version="1.0"?>' + reaching(url).replace("DOCTYPE x", "DOCTYPE svg")
    return (
        f'{text}<svg xmlns="http://www.w3.org/2000/svg"><text>Desenho &arquivo; &rede;</text><script>alert(1)</script>'
        f'<image href="{url}/x.png"/><image href="file:///etc/passwd"/></svg>'
    ).encode()


@case("risada.svg", ANYTHING, says=(*ENTITIES, *TOO_MUCH))
def a_billion_laughs_in_a_drawing() -> bytes:
    return (
        f'<?xml version="1.0"?>{laughing("svg")}<svg xmlns="http://www.w3.org/2000/svg"><text>&z;</text></svg>'.encode()
    )


@case("risada.xml", ANYTHING, says=(*ENTITIES, *TOO_MUCH))
def a_billion_laughs_in_plain_xml() -> bytes:
    return f'<?xml version="1.0"?>{laughing()}<x>&z;</x>'.encode()


@case("atributo.html", ANYTHING, says=(*TOO_MUCH, *NESTED))
def an_attribute_of_five_megabytes() -> bytes:
    return _page(f'<p title="{"x" * (5 << 20)}" ' + "a=1 " * 100_000 + ">curto</p>" + "<b>" * 20_000)


@case("boneca.eml", ANYTHING, says=(*TOO_MUCH, *DAMAGED))
def a_thousand_messages_in_each_other() -> bytes:
    text = MAIL.format(subject="boneca")
    for n in range(1000):
        text += f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n'
    ends = "".join(f"--b{n}--\r\n" for n in reversed(range(1000)))
    return (text + "Content-Type: text/plain\r\n\r\nfundo\r\n" + ends).encode()


@case("anexos.eml", ANYTHING, says=(*TOO_MUCH, *DAMAGED), finds="bacuri")
def five_thousand_attachments() -> bytes:
    part = "--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a{n}.txt\r\n\r\nAnexo {n}.\r\n"
    head = MAIL.format(subject="anexos") + 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    body = "--b\r\nContent-Type: text/plain\r\n\r\nO bacuri vai anexo.\r\n"
    return (head + body + "".join(part.format(n=n) for n in range(5000)) + "--b--\r\n").encode()


@case("bomba.eml", ANYTHING, says=(*TOO_MUCH, "INGEST__MAX_UNPACKED_MB"), finds="bacuri")
def a_bomb_and_a_program_as_attachments() -> bytes:
    from tests.hostile.office_archives import a_docx_that_unpacks_to_a_gigabyte

    def attached(name: str, data: bytes) -> str:
        return (
            f"--b\r\nContent-Type: application/octet-stream; name={name}\r\nContent-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment; filename={name}\r\n\r\n{base64.encodebytes(data).decode()}\r\n"
        )

    head = MAIL.format(subject="bomba") + 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    body = "--b\r\nContent-Type: text/plain\r\n\r\nO bacuri vem antes da bomba.\r\n"
    bomb = attached("bomba.docx", a_docx_that_unpacks_to_a_gigabyte())
    zips = attached("42.zip", zipped({"x": bytes(5 << 20)}))
    return (head + body + bomb + attached("x.exe", b"MZ" + bytes(500)) + zips + "--b--\r\n").encode()


@case("cabecalho.eml", ANYTHING, says=(*TOO_MUCH, *DAMAGED), finds="bacuri")
def headers_of_megabytes_and_noise() -> bytes:
    subject = "=?utf-8?B?!!!!?= =?nada?Q?=FF=FE?= " + "=?utf-8?Q?=C3?= " * 20_000
    text = MAIL.format(subject=subject) + "X-Longo: " + "a" * (1 << 20) + "\r\nDate: ontem, 99 Foo\r\n"
    return (text + 'Content-Type: text/plain; charset="inventado"\r\n\r\nO bacuri chega.\r\n').encode()


@case("corpo.eml", READY, finds="bacuri")
def a_message_that_calls_home(url: str) -> bytes:
    html = f'<img src="{url}/pixel.gif"><script>alert(1)</script><p>O bacuri escreve.</p><iframe src="{url}"></iframe>'
    external = f"Content-Type: text/html\r\nContent-Location: {url}/corpo\r\nList-Unsubscribe: <{url}/sair>\r\n\r\n"
    return (MAIL.format(subject="pixel") + external + html).encode()


@case("grupos.rtf", ANYTHING, says=(*TOO_MUCH, *DAMAGED))
def a_hundred_thousand_nested_groups() -> bytes:
    return b"{\\rtf1\\ansi " + b"{\\b " * 100_000 + b"fundo" + b"}" * 100_000 + b"}"


@case("binario.rtf", ANYTHING, says=(*TOO_MUCH, *DAMAGED))
def a_picture_of_four_gigabytes_in_no_bytes() -> bytes:
    return b"{\\rtf1\\ansi curto {\\pict\\bin4294967295 x} {\\*\\objdata " + b"4d5a" * 1000 + b"}}"


@case("campo.rtf", ANYTHING, says=DAMAGED, finds="araticum")
def fields_that_include_what_lies_elsewhere(url: str) -> bytes:
    outside = (f'INCLUDEPICTURE "{url}/x.png"', 'INCLUDETEXT "/etc/passwd"', f'HYPERLINK "{url}"')
    fields = "".join("{\\field{\\*\\fldinst " + what + "}{\\fldrslt }}" for what in outside)
    return ("{\\rtf1\\ansi O araticum rico. " + fields + "{\\*\\template " + url + "/m.dot}}").encode()
