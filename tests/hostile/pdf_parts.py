"""A PDF written object by object, so that each can be wrong in its own way."""

from collections.abc import Mapping


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def text(words: str) -> bytes:
    """Content that draws one line with the font F1."""
    return b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % words.encode("latin-1")


def one_page(
    content: bytes = b"",
    *,
    page: bytes = b"",
    resources: bytes = b"",
    media_box: bytes = b"[0 0 595 842]",
    catalog: bytes = b"",
    more: Mapping[int, bytes] | None = None,
) -> bytes:
    """Objects 1-5 are catalog, page tree, page, content and font; `more` adds to or replaces them."""
    resources = b"<< /Font << /F1 5 0 R >> %s >>" % resources
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R /Resources %s %s >>"
        % (media_box, resources, page),
        4: stream(content),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        **(more or {}),
    }
    return written(objects)


def written(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """The file with its cross-reference table; object 1 is the catalog."""
    body, offsets = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), {}
    for number, data in objects.items():
        offsets[number] = len(body)
        body += b"%d 0 obj\n%s\nendobj\n" % (number, data)
    size, start = max(objects) + 1, len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        body += b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 65535 f \n"
    body += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(body)
