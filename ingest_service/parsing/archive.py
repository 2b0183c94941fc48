"""The guard before every parser that opens a ZIP container: what it unpacks to is counted before anybody unpacks it.

Office parsers trust what an archive says of itself and hold whole parts in memory. Parts that declare XML entities are
refused as well, so that neither an expansion bomb nor a reference to a file of this machine reaches any XML parser.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import ParsingLimits

MAX_MEMBERS = 20_000
"""A book of a thousand chapters and pictures has fewer parts."""
MAX_RATIO = 200
"""Text and XML of honest documents pack to a tenth, repetitive sheets to a fiftieth."""
_SMALL_BYTES = 32 << 20
"""Up to here any ratio will do: a document of empty cells packs to nothing."""
_PIECE_BYTES = 1 << 20

_XML_SUFFIXES = (".xml", ".rels", ".xhtml", ".html", ".htm", ".opf", ".ncx", ".svg", ".vml")
_ENTITY = tuple("<!ENTITY".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_ENCRYPTED = 0x1
_ODF_MANIFEST = "META-INF/manifest.xml"
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError)


def check_archive(data: bytes, limits: ParsingLimits) -> None:
    """Raise what the list of contents tells: a password, too many parts, too large, damage."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_declared(archive, len(data), limits)
    except _DAMAGE as error:
        raise errors.broken() from error


def verified_members(data: bytes, limits: ParsingLimits) -> tuple[str, ...]:
    """The names of all members, each of them unpacked once and found to be what it says and within the limits.

    Raises `ProtectedDocument`, `TooLargeUnpacked`, or `BrokenDocument`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_declared(archive, len(data), limits)
            total = 0
            for member in archive.infolist():
                total = _count(archive, member, total, len(data), limits)
            return tuple(archive.namelist())
    except _DAMAGE as error:
        raise errors.broken() from error


def member(data: bytes, name: str) -> bytes:
    """One member of a verified archive; empty when there is none of this name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name) if name in archive.namelist() else b""


def with_members(data: bytes, changed: Mapping[str, bytes]) -> bytes:
    """A copy of a verified archive with some members changed or added. Not compressed: it only goes to the next
    parser."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as copy:
        for name in dict.fromkeys([*source.namelist(), *changed]):
            copy.writestr(name, changed[name] if name in changed else source.read(name))
    return target.getvalue()


def _check_declared(archive: zipfile.ZipFile, packed: int, limits: ParsingLimits) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise errors.too_many_parts(MAX_MEMBERS)
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise errors.protected()
    _check_size(sum(member.file_size for member in members), packed, limits)
    # OpenDocument encrypts the parts itself and says so in its manifest.
    if _ODF_MANIFEST in archive.namelist():
        with archive.open(_ODF_MANIFEST) as manifest:
            if b"encryption-data" in manifest.read(_PIECE_BYTES):
                raise errors.protected()


def _check_size(unpacked: int, packed: int, limits: ParsingLimits) -> None:
    if unpacked > limits.max_unpacked_mb << 20:
        raise errors.too_large_unpacked(limits.max_unpacked_mb)
    if unpacked > max(_SMALL_BYTES, MAX_RATIO * packed):
        raise errors.packed_too_tightly(MAX_RATIO)


def _count(archive: zipfile.ZipFile, member: zipfile.ZipInfo, total: int, packed: int, limits: ParsingLimits) -> int:
    """The bytes unpacked so far, this member included. Its check sum is compared at its end."""
    is_xml = member.filename.lower().endswith(_XML_SUFFIXES)
    end = b""
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE_BYTES):
            total += len(piece)
            _check_size(total, packed, limits)
            if is_xml and any(declaration in end + piece for declaration in _ENTITY):
                raise errors.declares_entities()
            end = piece[-16:]
    return total
