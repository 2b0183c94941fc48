"""What kind of document a ZIP or OLE container holds, seen from its list of contents; nothing is unpacked.

This runs in the service itself, on bytes that nobody has looked at, so it reads a bounded part of them and follows no
link more than once.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from ingest_service.parsing import media_types

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_END_RECORD = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT = 0xFFFF
_LONGEST_MIMETYPE = 100
_DEFLATED = b"\x08\x00"
_LISTED_BYTES = 1 << 20
"""So much of a ZIP's list of contents is read: some 10,000 names, and what decides stands among the first."""
_ENTRY = struct.Struct("<4s6H3L5H2L")
_DIRECTORY_BYTES = 1 << 16
_OLE_ENTRY_BYTES = 128

_BY_MIMETYPE = {kind: kind for kind in (media_types.EPUB, media_types.ODT, media_types.ODS, media_types.ODP)} | {
    f"{kind}-template": kind for kind in (media_types.ODT, media_types.ODS, media_types.ODP)
}
_BY_FOLDER = {"word/": media_types.DOCX, "ppt/": media_types.PPTX, "xl/": media_types.XLSX}
_BY_STREAM = {
    "EncryptedPackage": media_types.ENCRYPTED_OFFICE,
    "WordDocument": media_types.DOC,
    "PowerPoint Document": media_types.PPT,
    "Workbook": media_types.XLS,
    "Book": media_types.XLS,
}


def kind_of_zip(stream: BinaryIO, head: bytes) -> str | None:
    """DOCX, PPTX, XLSX, ODT, ODS, ODP or EPUB; None for any other archive."""
    if kind := _BY_MIMETYPE.get(_first_mimetype(head)):
        return kind
    names = list(_names(stream))
    if "[Content_Types].xml" in names:
        # The folder of the main part; a workbook inside a text document lies deeper.
        return next(
            (kind for folder, kind in _BY_FOLDER.items() if any(name.startswith(folder) for name in names)), None
        )
    return media_types.EPUB if "META-INF/container.xml" in names else None


def kind_of_ole(stream: BinaryIO, head: bytes) -> str | None:
    """DOC, PPT, XLS, or an office document behind a password; None for any other OLE file.

    The first of the known streams decides: what is embedded in a document comes after its own text.
    """
    if len(head) < 0x34:
        return None
    sector_bytes = 4096 if head[0x1E] == 12 else 512
    first_sector = int.from_bytes(head[0x30:0x34], "little")
    stream.seek((first_sector + 1) * sector_bytes)
    directory = stream.read(_DIRECTORY_BYTES)
    for start in range(0, len(directory) - _OLE_ENTRY_BYTES + 1, _OLE_ENTRY_BYTES):
        length = int.from_bytes(directory[start + 64 : start + 66], "little")
        name = directory[start : start + max(0, min(length, 64) - 2)].decode("utf-16-le", errors="replace")
        if kind := _BY_STREAM.get(name):
            return kind
    return None


def _first_mimetype(head: bytes) -> str:
    """What the first member of OpenDocument and EPUB files says: it is called `mimetype` and should be stored plain."""
    if head[26:28] != b"\x08\x00" or head[30:38] != b"mimetype":
        return ""
    size, extra = int.from_bytes(head[18:22], "little"), int.from_bytes(head[28:30], "little")
    said = head[38 + extra : 38 + extra + min(size, _LONGEST_MIMETYPE)]
    if head[8:10] == _DEFLATED:
        try:
            said = zlib.decompressobj(-zlib.MAX_WBITS).decompress(head[38 + extra :], _LONGEST_MIMETYPE)
        except zlib.error:
            return ""
    return said.decode("ascii", errors="replace").strip()


def _names(stream: BinaryIO) -> Iterator[str]:
    """Names of the first members. Nothing for a file whose end is missing."""
    length = stream.seek(0, 2)
    tail_start = max(0, length - _LONGEST_COMMENT - _END_RECORD.size)
    stream.seek(tail_start)
    tail = stream.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < _END_RECORD.size:
        return
    listed = _END_RECORD.unpack_from(tail, end)[5]
    # Counted back from the end record, because the offset in it is wrong when something stands before the archive.
    stream.seek(max(0, tail_start + end - listed))
    directory = stream.read(min(listed, _LISTED_BYTES))
    position = 0
    while position + _ENTRY.size <= len(directory) and directory.startswith(b"PK\x01\x02", position):
        name_bytes, extra, comment = _ENTRY.unpack_from(directory, position)[10:13]
        name_start = position + _ENTRY.size
        yield directory[name_start : name_start + name_bytes].decode("utf-8", errors="replace")
        position = name_start + name_bytes + extra + comment
