"""What DOCX and PPTX packages share: safe XML, the document's own title, and the variants of both formats."""

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from lxml import etree

from ingest_service.parsing import errors
from ingest_service.parsing.archive import member, with_members
from ingest_service.parsing.titles import own_title

CONTENT_TYPES = "[Content_Types].xml"
_MAIN = "application/vnd.openxmlformats-officedocument"
# Documents with macros, templates and shows differ from plain documents by this name alone; libraries insist on it.
_VARIANTS = {
    rb"application/vnd\.ms-word\.(?:document|template)\.macroEnabled(?:Template)?\.main\+xml": (
        f"{_MAIN}.wordprocessingml.document.main+xml"
    ),
    rb"application/vnd\.openxmlformats-officedocument\.wordprocessingml\.template\.main\+xml": (
        f"{_MAIN}.wordprocessingml.document.main+xml"
    ),
    rb"application/vnd\.ms-powerpoint\.(?:presentation|slideshow|template)\.macroEnabled\.main\+xml": (
        f"{_MAIN}.presentationml.presentation.main+xml"
    ),
    rb"application/vnd\.openxmlformats-officedocument\.presentationml\.(?:slideshow|template)\.main\+xml": (
        f"{_MAIN}.presentationml.presentation.main+xml"
    ),
}

_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/([A-Za-z]+)/([A-Za-z]+)")
# What python-docx, python-pptx and unstructured raise where a document lacks a part or a value that they rely on.
_MALFORMED = (
    LookupError,
    ValueError,
    AttributeError,
    TypeError,
    AssertionError,
    RecursionError,
    etree.LxmlError,
    zipfile.BadZipFile,
)


@contextmanager
def malformed_is_broken(*more: type[Exception]) -> Iterator[None]:
    """Around libraries that trust a package to be well made: their surprise, or `more`, is a `BrokenDocument`."""
    try:
        yield
    except (*_MALFORMED, *more) as error:
        raise errors.broken() from error


def in_common_dialect(package: bytes, main_part: str) -> bytes:
    """A package in the XML namespaces that everybody writes: "Strict Open XML" says the same in others."""
    if not _STRICT.search(member(package, main_part)):
        return package
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name.endswith((".xml", ".rels"))}
    common = rb"http://schemas.openxmlformats.org/\1/2006/\2"
    return with_members(package, {name: _STRICT.sub(common, part) for name, part in parts.items()})


def plain_content_types(package: bytes) -> bytes:
    """The list of content types, with the variants of a document under the name of the document itself."""
    listed = member(package, CONTENT_TYPES)
    for variant, plain in _VARIANTS.items():
        listed = re.sub(variant, plain.encode(), listed)
    return listed


def title_in_properties(package: bytes) -> str:
    """The title that the author gave, if it says anything."""
    properties = member(package, "docProps/core.xml")
    if not properties:
        return ""
    return own_title(parsed(properties).findtext("{http://purl.org/dc/elements/1.1/}title") or "")


def parsed(part: bytes) -> etree._Element:
    """A part as XML: no entity is resolved and nothing is fetched. Raises `BrokenDocument`."""
    try:
        return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise errors.broken() from error


def serialised(root: etree._Element) -> bytes:
    part: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return part
