"""What pikepdf is asked about a PDF: whether it opens at all, its title, and a repaired copy. Its only importer."""

import io

import pikepdf

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import ParsingLimits


def check_pdf(data: bytes, limits: ParsingLimits) -> None:
    """Raise what can be seen without reading a page: a password, no pages, too many.

    Damage is no reason to refuse here: the parser and the repair come later and are better at it.
    """
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            pages = len(pdf.pages)
    except pikepdf.PasswordError as error:
        raise errors.protected() from error
    except pikepdf.PdfError:
        return
    if pages == 0:
        raise errors.without_pages()
    if pages > limits.max_pages:
        raise errors.too_many_pages(pages, limits.max_pages)


def repaired(data: bytes) -> bytes:
    """The PDF saved anew, its cross-reference table rebuilt. Raises `BrokenDocument` if there is nothing to save."""
    target = io.BytesIO()
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            if not len(pdf.pages):
                raise errors.broken()
            pdf.save(target)
    except pikepdf.PasswordError as error:
        raise errors.protected() from error
    except pikepdf.PdfError as error:
        raise errors.broken() from error
    return target.getvalue()


def pages_alone(data: bytes) -> bytes:
    """The pages in a new PDF, without outline, forms and the tree they hung in. Raises as `repaired`."""
    target = io.BytesIO()
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf, pikepdf.new() as flat:
            flat.pages.extend(pdf.pages)
            flat.docinfo["/Title"] = str(pdf.docinfo.get("/Title", ""))
            flat.save(target)
    except pikepdf.PasswordError as error:
        raise errors.protected() from error
    except pikepdf.PdfError as error:
        raise errors.broken() from error
    return target.getvalue()


def document_title(data: bytes) -> str:
    """The title that the document gives itself, or nothing when it has none or none worth showing."""
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            title = str(pdf.docinfo.get("/Title", "")).strip()
    except pikepdf.PdfError:
        return ""
    # What programs put there by themselves says less than the file name.
    generated = title.lower().startswith(("microsoft word", "untitled", "sem título", "powerpoint", "(anonymous)"))
    return "" if generated or not any(letter.isalpha() for letter in title) else " ".join(title.split())[:200]
