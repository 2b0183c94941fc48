"""Text from bytes, without guessing by statistics: that reads `produção` as `produçăo`."""

import codecs

_NO_CHARSETS = frozenset({"utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
"""Codecs of Python that no document is written in, some of them slow or dangerous on large data."""
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_SEEN_BYTES = 4096


def decode(data: bytes) -> str:
    """Text of a file: UTF-8 (with or without mark), UTF-16, else Windows-1252, as old Portuguese files are.

    Line ends become `\\n`.
    """
    if encoding := utf16(data):
        text = data.decode(encoding, errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            # Five byte values are unassigned in Windows-1252; they become U+FFFD rather than an error.
            text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def utf16(data: bytes) -> str | None:
    """The kind of UTF-16 that a text is in, or None.

    Without a mark it shows in its zeros: nearly every second byte of a text in Latin letters, and no two in a row.
    """
    if data.startswith(_UTF16_MARKS):
        return "utf-16"
    seen = data[: min(len(data), _SEEN_BYTES) & ~1]
    if len(seen) < 4:
        return None
    pairs = len(seen) // 2
    for encoding, high, low in (("utf-16-le", seen[1::2], seen[::2]), ("utf-16-be", seen[::2], seen[1::2])):
        letters = sum(1 for byte in low if byte >= 32 or byte in b"\t\n\f\r")
        if high.count(0) > 0.9 * pairs and letters > 0.95 * pairs:
            return encoding
    return None


def charset(declared: str) -> str | None:
    """The codec for a declared encoding, None for what is no encoding of text. Latin-1 is read as Windows-1252, as
    browsers do: it adds the typographic marks that are meant."""
    try:
        name = codecs.lookup(declared).name
        b"".decode(name)
    except (LookupError, ValueError):
        return None
    return None if name in _NO_CHARSETS else "cp1252" if name in {"iso8859-1", "ascii"} else name
