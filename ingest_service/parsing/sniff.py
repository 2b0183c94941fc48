"""What kind of document some bytes are. The content decides; a name only tells Markdown from plain text."""

from pathlib import PurePath

import puremagic

from shared.errors import UnsupportedMedia

PDF = "application/pdf"
PLAIN = "text/plain"
MARKDOWN = "text/markdown"

HEAD_BYTES = 8192
"""How much of a file `sniff` wants to see."""

_READABLE = "PDF, plain text and Markdown"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_PROGRAMS = (b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")
_PROGRAM_NAMES = frozenset({".exe", ".dll", ".msi", ".com", ".scr", ".sys"})
# Text by its bytes, yet markup that would be read aloud as it stands.
_MARKUP = {
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"<?xml": "an XML file",
    b"{\\rtf": "an RTF file",
}
# Tab, line feed, form feed, carriage return and escape occur in honest text files; other control characters do not.
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 27}


def sniff(head: bytes, name: str) -> str:
    """The media type of a file by its first `HEAD_BYTES` bytes.

    Raises `UnsupportedMedia` for anything but PDF, plain text and Markdown, naming what it seems to be.
    """
    # Up to 1024 bytes of junk before the signature are common (mail gateways), and readers accept them.
    if b"%PDF-" in head[:1024]:
        return PDF
    suffix = PurePath(name).suffix.lower()
    if head.startswith(_PROGRAMS) or (head.startswith(b"MZ") and (_binary(head) or suffix in _PROGRAM_NAMES)):
        raise UnsupportedMedia(f"{name} is a program, not a document. Documents are read as {_READABLE}.")
    if _binary(head):
        raise UnsupportedMedia(
            f"{name} {_seems(head)}; this version reads {_READABLE}. Save it as PDF and send that instead."
        )
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower()
    for signature, what in _MARKUP.items():
        if start.startswith(signature):
            raise UnsupportedMedia(
                f"{name} is {what}; this version reads {_READABLE}. Save it as PDF and send that instead."
            )
    return MARKDOWN if suffix in {".md", ".markdown"} else PLAIN


def _binary(head: bytes) -> bool:
    if head.startswith(_UTF16):
        return False
    return any(byte in _CONTROLS for byte in head)


def _seems(head: bytes) -> str:
    """Only for the message: the library's weak signatures also match honest text, so it decides nothing."""
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return "is a binary file of a kind unknown here"
    return f"seems to be {found[0].name or found[0].extension}" if found else "is a binary file of a kind unknown here"
