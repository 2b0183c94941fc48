"""Office documents written part by part, so that each part can be wrong in its own way."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


@dataclass(frozen=True)
class Member:
    """A ZIP member as it is written down, which need not be what it is."""

    name: str
    packed: bytes
    size: int
    """Unpacked, as declared."""
    crc: int = 0
    flags: int = 0


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def member(name: str, data: bytes) -> Member:
    """An honest one."""
    return Member(name, deflated(data), len(data), zlib.crc32(data))


def raw_zip(members: Iterable[Member], *, overlapping: bool = False) -> bytes:
    """A ZIP of these members; `overlapping`: the list names them all, and all point at the bytes of the last one."""
    body, listed, count = bytearray(), bytearray(), 0
    members = list(members)
    for each in members:
        if not overlapping or each is members[-1]:
            offset = len(body)
            body += struct.pack("<4s5H3L2H", b"PK\x03\x04", *_facts(each), len(each.name.encode()), 0)
            body += each.name.encode() + each.packed
    for each, place in zip(members, _places(members, overlapping, offset), strict=True):
        name = each.name.encode()
        listed += struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, *_facts(each), len(name), 0, 0, 0, 0, 0, place) + name
        count += 1
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, len(listed), len(body), 0)
    return bytes(body + listed) + end


def _facts(each: Member) -> tuple[int, ...]:
    """version, flags, method, time, date, CRC, packed size, declared size"""
    return 20, each.flags, 8, 0, 33, each.crc, len(each.packed), each.size


def _places(members: list[Member], overlapping: bool, last: int) -> Iterable[int]:
    place = 0
    for each in members:
        yield last if overlapping else place
        place += 30 + len(each.name.encode()) + len(each.packed)


def zipped(members: Mapping[str, bytes]) -> bytes:
    """An honest ZIP; a member called mimetype is stored as it is."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return target.getvalue()


def docx_parts(paragraphs: str, *, doctype: str = "", links: str = "", main: str = "document.main") -> dict[str, bytes]:
    """A text document whose body is this XML."""
    return {
        "[Content_Types].xml": _types(
            "/word/document.xml",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
            if main == "document.main"
            else f"application/vnd.ms-word.{main}+xml",
        ),
        "_rels/.rels": _links(f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'),
        "word/document.xml": (
            f'{_XML}{doctype}<w:document xmlns:w="{_W}" xmlns:r="{_OFFICE}"><w:body>{paragraphs}</w:body></w:document>'
        ).encode(),
        "word/_rels/document.xml.rels": _links(links),
    }


def paragraph(words: str) -> str:
    return f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"


def xlsx_parts(rows: str, *, dimension: str = "A1:B2", shared: str = "", doctype: str = "") -> dict[str, bytes]:
    """A workbook of one sheet with these rows."""
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return {
        "[Content_Types].xml": _types(
            "/xl/workbook.xml",
            f"{sheet}.sheet.main+xml",
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{sheet}.worksheet+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{sheet}.sharedStrings+xml"/>',
        ),
        "_rels/.rels": _links(f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'),
        "xl/workbook.xml": (
            f'{_XML}<workbook xmlns="{_S}" xmlns:r="{_OFFICE}"><sheets><sheet name="Folha" sheetId="1" r:id="r1"/>'
            "</sheets></workbook>"
        ).encode(),
        "xl/_rels/workbook.xml.rels": _links(
            f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        ),
        "xl/worksheets/sheet1.xml": (
            f'{_XML}{doctype}<worksheet xmlns="{_S}"><dimension ref="{dimension}"/><sheetData>{rows}</sheetData>'
            "</worksheet>"
        ).encode(),
        "xl/sharedStrings.xml": f'{_XML}{doctype}<sst xmlns="{_S}">{shared}</sst>'.encode(),
    }


def cell(place: str, words: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{words}</t></is></c>'


def odt_parts(paragraphs: str, *, doctype: str = "") -> dict[str, bytes]:
    """An OpenDocument text."""
    office = "urn:oasis:names:tc:opendocument:xmlns"
    kind = "application/vnd.oasis.opendocument.text"
    return {
        "mimetype": kind.encode(),
        "META-INF/manifest.xml": (
            f'{_XML}<m:manifest xmlns:m="{office}:manifest:1.0"><m:file-entry m:full-path="/" m:media-type="{kind}"/>'
            '<m:file-entry m:full-path="content.xml" m:media-type="text/xml"/></m:manifest>'
        ).encode(),
        "styles.xml": (
            f'{_XML}<o:document-styles xmlns:o="{office}:office:1.0" o:version="1.2"><o:styles/><o:automatic-styles/>'
            "<o:master-styles/></o:document-styles>"
        ).encode(),
        "content.xml": (
            f'{_XML}{doctype}<o:document-content xmlns:o="{office}:office:1.0" xmlns:t="{office}:text:1.0" '
            f'o:version="1.2"><o:body><o:text>{paragraphs}</o:text></o:body></o:document-content>'
        ).encode(),
    }


def epub_parts(chapter: str, *, doctype: str = "<!DOCTYPE html>") -> dict[str, bytes]:
    """A book of one chapter."""
    return {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": (
            b'<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
            b'full-path="livro.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
        ),
        "livro.opf": (
            b'<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i"><metadata '
            b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="i">1</dc:identifier><dc:title>Livro'
            b"</dc:title><dc:language>pt</dc:language></metadata><manifest><item id='c' href='c.xhtml' "
            b"media-type='application/xhtml+xml'/></manifest><spine><itemref idref='c'/></spine></package>"
        ),
        "c.xhtml": (
            f'{doctype}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>c</title></head><body>{chapter}</body>'
            "</html>"
        ).encode(),
    }


def external_image(url: str) -> str:
    """A relationship to a picture that lies elsewhere."""
    return f'<Relationship Id="r9" Type="{_OFFICE}/image" Target="{url}/imagem.png" TargetMode="External"/>'


def external_template(url: str) -> str:
    return f'<Relationship Id="r8" Type="{_OFFICE}/attachedTemplate" Target="{url}/modelo.dotm" TargetMode="External"/>'


def _types(main: str, kind: str, more: str = "") -> bytes:
    return (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.'
        'openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>'
        f'<Override PartName="{main}" ContentType="{kind}"/>{more}</Types>'
    ).encode()


def _links(links: str) -> bytes:
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'.encode()
