"""What kind of document a file is. The content decides; a name only tells kinds of text apart, which bytes cannot."""

import io
import re
from pathlib import Path, PurePath
from typing import BinaryIO

import puremagic

from ingest_service.parsing import containers, media_types
from ingest_service.parsing.encodings import utf16
from shared.errors import UnsupportedMedia

HEAD_BYTES = 8192

_PROGRAMS = (b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")
_PROGRAM_NAMES = frozenset({".exe", ".dll", ".msi", ".com", ".scr", ".sys"})
_IMAGE_MAGIC = {
    b"\x89PNG\r\n\x1a\n": media_types.PNG,
    b"\xff\xd8\xff": media_types.JPEG,
    b"II*\x00": media_types.TIFF,
    b"MM\x00*": media_types.TIFF,
    b"II+\x00": media_types.TIFF,
    b"MM\x00+": media_types.TIFF,
    b"GIF87a": media_types.GIF,
    b"GIF89a": media_types.GIF,
}
# At the start of a line: a text that speaks of %PDF- is not one.
_PDF = re.compile(rb"(?:\A|[\r\n\0])(?:\xef\xbb\xbf)?%PDF-")
# Tab, line feed, form feed, carriage return and escape occur in honest text files; other control characters do not.
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 27}
_TEXT_SUFFIXES = {
    ".md": media_types.MARKDOWN,
    ".markdown": media_types.MARKDOWN,
    ".csv": media_types.CSV,
    ".tsv": media_types.CSV,
    ".tab": media_types.CSV,
    ".html": media_types.HTML,
    ".htm": media_types.HTML,
    ".xhtml": media_types.HTML,
}
_HTML = re.compile(r"(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"<(?![?!])(?:\w+:)?(\w+)")
_MAIL_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):(?:\s|$)")
_MAIL_HEADERS = frozenset(
    {"from", "to", "cc", "subject", "date", "message-id", "mime-version", "received", "return-path", "content-type"}
    | {"delivered-to", "reply-to", "sender", "dkim-signature", "authentication-results", "x-mailer"}
)


def sniff_file(path: Path, name: str) -> str:
    """The media type of the file at `path`, which people call `name`. Raises as `sniff`."""
    with path.open("rb") as stream:
        return sniff_stream(stream, name)


def sniff(data: bytes, name: str) -> str:
    """The media type of a document. The first `HEAD_BYTES` bytes are enough for all but ZIP and OLE containers.

    Raises `UnsupportedMedia` for what cannot be read, naming what it seems to be and what can be read.
    """
    return sniff_stream(io.BytesIO(data), name)


def sniff_stream(stream: BinaryIO, name: str) -> str:
    """The media type of an open document, which must be at its beginning. Raises as `sniff`."""
    head = stream.read(HEAD_BYTES)
    if kind := _container(stream, head, name) or _image(head):
        return kind
    # Up to 1024 bytes of junk before the signature are common (mail gateways), and readers accept them.
    if _PDF.search(head[:1024]):
        return media_types.PDF
    binary = _binary(head)
    suffix = PurePath(name).suffix.lower()
    if head.startswith(_PROGRAMS) or (head.startswith(b"MZ") and (binary or suffix in _PROGRAM_NAMES)):
        raise UnsupportedMedia(f"{name} is a program, not a document. Documents are read as {media_types.READABLE}.")
    if binary and not _is_mail(head.decode("latin-1"), named_so=False):
        raise _unsupported(f"{name} {_seems(head)}")
    return _kind_of_text(head.decode(utf16(head) or "latin-1", errors="replace"), suffix)


def _container(stream: BinaryIO, head: bytes, name: str) -> str | None:
    if head.startswith(containers.ZIP_MAGIC):
        kind = containers.kind_of_zip(stream, head)
        if kind is None:
            raise _unsupported(f"{name} is a ZIP archive that holds no document known here, or only a part of one")
        return kind
    if head.startswith(containers.OLE_MAGIC):
        kind = containers.kind_of_ole(stream, head)
        if kind is None:
            raise _unsupported(f"{name} is an old Microsoft file of a kind unknown here")
        return kind
    return None


def _image(head: bytes) -> str | None:
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return media_types.WEBP
    # Two letters are a weak signature; the reserved zeros and the size of the second header make it a strong one.
    if head.startswith(b"BM") and head[6:10] == bytes(4) and head[14:18] in _BMP_HEADER_SIZES:
        return media_types.BMP
    return next((kind for magic, kind in _IMAGE_MAGIC.items() if head.startswith(magic)), None)


_BMP_HEADER_SIZES = frozenset(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))


def _kind_of_text(text: str, suffix: str) -> str:
    start = text.removeprefix("\ufeff").removeprefix("ï»¿").lstrip()
    if start.startswith("{\\rtf"):
        return media_types.RTF
    if _HTML.match(start):
        return media_types.HTML
    if start.startswith(("<?xml", "<svg", "<!DOCTYPE svg")):
        root = _ROOT.search(start)
        return {"html": media_types.HTML, "svg": media_types.SVG}.get(root[1] if root else "", media_types.XML)
    if suffix not in {".md", ".markdown"} and _is_mail(start, named_so=suffix in {".eml", ".mht", ".mhtml"}):
        return media_types.EML
    return _TEXT_SUFFIXES.get(suffix, media_types.PLAIN)


def _is_mail(start: str, *, named_so: bool) -> bool:
    """Whether a text begins with the header lines of a message, three of them known ones."""
    known = 0
    for line in start.splitlines():
        if line.startswith((" ", "\t")) and known:
            continue
        header = _MAIL_HEADER.match(line)
        if header is None:
            break
        known += header[1].lower() in _MAIL_HEADERS
    return known >= (1 if named_so else 3)


def _binary(head: bytes) -> bool:
    return utf16(head) is None and any(byte in _CONTROLS for byte in head)


def _unsupported(what: str) -> UnsupportedMedia:
    return UnsupportedMedia(
        f"{what}. These are read: {media_types.READABLE}. Save it as one of them, PDF for instance."
    )


def _seems(head: bytes) -> str:
    """Only for the message: the library's weak signatures also match honest text, so it decides nothing."""
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return "is a binary file of a kind unknown here"
    return f"seems to be {found[0].name or found[0].extension}" if found else "is a binary file of a kind unknown here"
