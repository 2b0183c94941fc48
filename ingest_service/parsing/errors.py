"""Why a document cannot be read. Each text tells its sender what to do.

UnreadableDocument (422)    these bytes will never be readable: the document is quarantined
├── ProtectedDocument       a password is needed
├── EmptyDocument           no bytes, or no pages
├── TooManyPages            more pages than the setting allows
└── BrokenDocument          damaged beyond repair
ParserDied (503)            out of memory or time: tried again, then quarantined
"""

from shared.errors import Unavailable, Unprocessable


class UnreadableDocument(Unprocessable):
    code = "unreadable_document"


class ProtectedDocument(UnreadableDocument):
    code = "password_protected"


class EmptyDocument(UnreadableDocument):
    code = "empty_document"


class TooManyPages(UnreadableDocument):
    code = "too_many_pages"


class BrokenDocument(UnreadableDocument):
    code = "broken_document"


class ParserDied(Unavailable):
    code = "parser_died"


def protected() -> ProtectedDocument:
    return ProtectedDocument("The PDF is protected by a password: save it without one and send it again.")


def without_pages() -> EmptyDocument:
    return EmptyDocument("The PDF has no pages: export it again from the program that made it.")


def without_bytes() -> EmptyDocument:
    return EmptyDocument("The file is empty (0 bytes): check that it was saved completely and send it again.")


def too_many_pages(pages: int, limit: int) -> TooManyPages:
    return TooManyPages(
        f"The PDF has {pages} pages; the limit is {limit} (INGEST__MAX_PAGES). Split it, or raise the limit."
    )


def broken() -> BrokenDocument:
    return BrokenDocument(
        "The PDF is damaged and could not be repaired: export it again from the program that made it."
    )
