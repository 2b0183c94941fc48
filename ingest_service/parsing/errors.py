"""Why a document cannot be read. Each text tells its sender what to do.

UnreadableDocument (422)    these bytes will never be readable: the document is quarantined
├── ProtectedDocument       a password is needed
├── EmptyDocument           no bytes, or no pages
├── TooManyPages            more pages than the setting allows
├── TooLargeUnpacked        an archive that unpacks to more than the setting allows
├── BrokenDocument          damaged beyond repair
└── MissingConverter        only LibreOffice reads this kind, and it is not installed
ParserDied (503)            out of memory or time: tried again, then quarantined
"""

from shared.errors import NotFound, Unavailable, Unprocessable


class UnreadableDocument(Unprocessable):
    code = "unreadable_document"


class ProtectedDocument(UnreadableDocument):
    code = "password_protected"


class EmptyDocument(UnreadableDocument):
    code = "empty_document"


class TooManyPages(UnreadableDocument):
    code = "too_many_pages"


class TooLargeUnpacked(UnreadableDocument):
    code = "too_large_unpacked"


class BrokenDocument(UnreadableDocument):
    code = "broken_document"


class MissingConverter(UnreadableDocument):
    code = "missing_converter"


class NoSuchPage(NotFound):
    code = "no_such_page"


class ParserDied(Unavailable):
    code = "parser_died"


def protected() -> ProtectedDocument:
    return ProtectedDocument("The document is protected by a password: save it without one and send it again.")


def without_pages() -> EmptyDocument:
    return EmptyDocument("The document has no pages: export it again from the program that made it.")


def without_bytes() -> EmptyDocument:
    return EmptyDocument("The file is empty (0 bytes): check that it was saved completely and send it again.")


def too_many_pages(pages: int, limit: int) -> TooManyPages:
    return TooManyPages(
        f"The document has {pages} pages; the limit is {limit} (INGEST__MAX_PAGES). Split it, or raise the limit."
    )


def too_large_unpacked(limit_mb: int) -> TooLargeUnpacked:
    return TooLargeUnpacked(
        f"The document unpacks to more than {limit_mb} MiB (INGEST__MAX_UNPACKED_MB): remove large pictures or videos "
        "from it, split it, or raise the limit."
    )


def packed_too_tightly(ratio: int) -> TooLargeUnpacked:
    return TooLargeUnpacked(
        f"The document unpacks to more than {ratio} times its size, which is the mark of a decompression bomb: open it "
        "in the program that made it and save it anew."
    )


def too_many_parts(limit: int) -> TooLargeUnpacked:
    return TooLargeUnpacked(f"The document consists of more than {limit} parts: split it and send the pieces.")


def too_many_columns(columns: int, limit: int) -> BrokenDocument:
    return BrokenDocument(
        f"A row of the table has {columns} columns, and spreadsheets have {limit} at most: check how it was exported, "
        "and send it again."
    )


def declares_entities() -> BrokenDocument:
    return BrokenDocument(
        "The document is damaged or a trap: it declares XML entities, which documents of this kind never need. Open it "
        "in the program that made it and save it anew."
    )


def broken() -> BrokenDocument:
    return BrokenDocument(
        "The document is damaged and could not be repaired: export it again from the program that made it."
    )


def needs_libreoffice(kind: str, instead: str) -> MissingConverter:
    return MissingConverter(
        f"{kind} files are read with LibreOffice, which is not installed on the server. Save the document as {instead} "
        "and send that, or have LibreOffice installed."
    )


def without_parser(media_type: str) -> UnreadableDocument:
    return UnreadableDocument(f"Documents of the kind {media_type} are not read here: save it as PDF and send that.")


def cut_off() -> BrokenDocument:
    return BrokenDocument(
        "The PDF is damaged, probably cut off on its way: nothing of its text could be saved. Send it again, complete."
    )


def nested_too_deeply() -> BrokenDocument:
    return BrokenDocument(
        "The page is damaged or a trap: it nests its elements more than 2000 deep, which no browser shows. Save it as "
        "PDF and send that."
    )


def converter_too_slow(seconds: float) -> ParserDied:
    return ParserDied(
        f"Converting the document took longer than {seconds:g} s, most of the time that reading may take "
        "(INGEST__PARSE_TIMEOUT_S)."
    )


def broken_image() -> BrokenDocument:
    return BrokenDocument("The image is damaged or cut off: save it again and send it once more.")


def too_many_pixels(megapixels: int, limit: int) -> TooLargeUnpacked:
    return TooLargeUnpacked(
        f"The image has {megapixels} million pixels; the limit is {limit} million. Scale it down and send it again."
    )


def no_such_page(number: int, pages: int) -> NoSuchPage:
    return NoSuchPage(f"There is no page {number}: the document has {pages} {'page' if pages == 1 else 'pages'}.")
