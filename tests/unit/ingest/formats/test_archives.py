"""What is refused before any parser opens an archive, and why no XML reaches out of its document."""

import io
import zipfile
from collections.abc import Callable

import pytest

from ingest_service.parsing import errors, media_types
from ingest_service.parsing.archive import verified_members
from ingest_service.parsing.registry import check
from tests.unit.ingest.formats.office_files import guide, rewritten, slides, workbook
from tests.unit.ingest.formats.reading import LIMITS, read, texts

SMALL = LIMITS.model_copy(update={"max_unpacked_mb": 1})
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "haha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY i SYSTEM "file:///etc/passwd">]>'


def archive(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return target.getvalue()


def test_what_unpacks_over_the_limit_is_refused_naming_the_setting():
    data = archive({"word/document.xml": bytes(range(256)) * 8192})
    for refused in (verified_members, lambda data, limits: check(data, media_types.DOCX, limits)):
        with pytest.raises(errors.TooLargeUnpacked, match="INGEST__MAX_UNPACKED_MB"):
            refused(data, SMALL)


def test_a_size_that_is_a_lie_is_found_out():
    data = bytearray(archive({"word/document.xml": bytes(4 << 20)}))
    for header, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(header) + offset
        data[start : start + 4] = (10).to_bytes(4, "little")
    with pytest.raises(errors.UnreadableDocument):
        verified_members(bytes(data), SMALL)


def test_what_packs_too_well_is_refused():
    with pytest.raises(errors.TooLargeUnpacked, match="200 times"):
        verified_members(archive({"a.xml": bytes(40 << 20)}), LIMITS)


def test_too_many_parts_are_refused():
    with pytest.raises(errors.TooLargeUnpacked, match="20000 parts"):
        verified_members(archive({f"{number}": b"" for number in range(20_001)}), LIMITS)


def test_archives_within_an_archive_are_not_opened():
    inner = archive({"bomba": bytes(40 << 20)})
    assert texts(read(rewritten(guide(), {"word/embeddings/a.zip": inner}))) == texts(read(guide()))


def test_a_member_behind_a_password_is_a_password():
    data = bytearray(guide())
    for header, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := data.find(header, start)) >= 0:
            data[start + offset] |= 1
            start += 4
    with pytest.raises(errors.ProtectedDocument):
        check(bytes(data), media_types.DOCX, LIMITS)


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_flipped_bits_are_damage(cut: float):
    data = bytearray(guide())
    place = int(len(data) * cut)
    data[place : place + 20] = bytes(byte ^ 0xFF for byte in data[place : place + 20])
    with pytest.raises(errors.UnreadableDocument):
        verified_members(bytes(data), LIMITS)


@pytest.mark.parametrize("declared", [LAUGHS, OUTSIDE])
@pytest.mark.parametrize(
    ("make", "part", "root"),
    [
        (guide, "word/document.xml", b"<w:document"),
        (guide, "word/styles.xml", b"<w:styles"),
        (slides, "ppt/slides/slide1.xml", b"<p:sld"),
        (workbook, "xl/sharedStrings.xml", b"<sst"),
        (workbook, "xl/_rels/workbook.xml.rels", b"<Relationships"),
    ],
)
def test_declared_entities_are_refused_in_every_part(make: Callable[[], bytes], part: str, root: bytes, declared: str):
    with zipfile.ZipFile(io.BytesIO(make())) as source:
        xml = source.read(part)
    for encoding in ("utf-8", "utf-16"):
        hostile = xml.replace(root, declared.encode() + root, 1).decode().replace("UTF-8", encoding).encode(encoding)
        with pytest.raises(errors.BrokenDocument, match="entities"):
            read(rewritten(make(), {part: hostile}))


@pytest.mark.parametrize(
    "source",
    [
        f"<?xml version='1.0'?>{OUTSIDE}<svg><text>Sala &i; A12</text></svg>",
        f"<?xml version='1.0'?>{OUTSIDE}<dados><nome>Sala &i; A12</nome></dados>",
        f"{OUTSIDE.replace('DOCTYPE x', 'DOCTYPE html')}<html><body><p>Sala &i; A12</p></body></html>",
    ],
)
def test_entities_of_pages_and_drawings_reach_no_file(source: str):
    found = " ".join(texts(read(source.encode(), "a.html")))
    assert "Sala" in found
    assert "root:" not in found


def test_a_billion_laughs_in_a_drawing_expand_to_nothing():
    source = f"<?xml version='1.0'?>{LAUGHS.replace('DOCTYPE x', 'DOCTYPE svg')}<svg><text>&i;</text></svg>"
    try:
        assert "haha" not in " ".join(texts(read(source.encode())))
    except errors.BrokenDocument:
        return
