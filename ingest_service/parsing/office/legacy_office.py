"""DOC, PPT, ODT, ODP and RTF by LibreOffice, where it is installed: converted to DOCX or PPTX and read as that."""

import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from ingest_service.parsing import errors, media_types, programs
from ingest_service.parsing.archive import member, verified_members
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.markup import pandoc
from ingest_service.parsing.office.slides import parse_pptx
from ingest_service.parsing.office.word import parse_docx

_CONVERSIONS = {
    media_types.DOC: ("doc", "docx"),
    media_types.RTF: ("rtf", "docx"),
    media_types.ODT: ("odt", "docx"),
    media_types.PPT: ("ppt", "pptx"),
    media_types.ODP: ("odp", "pptx"),
}
_TEXT_BOX_OF_RTF = b"\\shptxt"
_LOST_OF_ODT = re.compile(rb"<draw:text-box\b|<text:list-level-style-number\b")
_LOST_WITHOUT_LIBREOFFICE = "Not read by LibreOffice: text boxes and the numbers of lists may be missing."
_RESTART = 81
"""The exit code of the first start in a new profile: LibreOffice wants to be started again."""
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop></item>
</oor:items>
"""
"""No macros, no embedded programs. No setting keeps it from fetching linked pictures; `offline.py` does."""


def parse_doc(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """Raises `MissingConverter` without LibreOffice, else as `parse_docx`."""
    return parse_docx(_converted(data, media_types.DOC, limits), limits)


def parse_ppt(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """Raises `MissingConverter` without LibreOffice, else as `parse_pptx`."""
    return parse_pptx(_converted(data, media_types.PPT, limits), limits)


def parse_odp(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """As `parse_ppt`."""
    return parse_pptx(_converted(data, media_types.ODP, limits), limits)


def parse_rtf(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """As `parse_docx`; without LibreOffice by pandoc, which loses the headings of some programs and all pages."""
    try:
        return parse_docx(_converted(data, media_types.RTF, limits), limits)
    except errors.MissingConverter:
        return _noted(pandoc.parse_rtf(data, limits), loses=_TEXT_BOX_OF_RTF in data)


def parse_odt(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """As `parse_rtf`, after the guard for archives. pandoc also opens files that lack what LibreOffice insists on."""
    verified_members(data, limits)
    try:
        return parse_docx(_converted(data, media_types.ODT, limits), limits)
    except (errors.MissingConverter, errors.BrokenDocument):
        loses = _LOST_OF_ODT.search(member(data, "content.xml")) is not None
        return _noted(pandoc.parse_odt(data, limits), loses=loses)


def _noted(document: ParsedDocument, *, loses: bool) -> ParsedDocument:
    return replace(document, note=_LOST_WITHOUT_LIBREOFFICE) if loses else document


def libreoffice(media_type: str) -> Path:
    """The program itself, not the script that starts it: what we start must be what we can stop.

    Raises `MissingConverter`, which speaks of this kind of document.
    """
    found = shutil.which("soffice") or shutil.which("libreoffice")
    program = Path(found).resolve().with_name("soffice.bin") if found else None
    if program is None or not program.is_file():
        kind, target = _CONVERSIONS[media_type]
        raise errors.needs_libreoffice(kind.upper(), target.upper())
    return program


def _converted(data: bytes, media_type: str, limits: ParsingLimits) -> bytes:
    program = libreoffice(media_type)
    kind, target = _CONVERSIONS[media_type]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profile = folder / "profile" / "user"
        profile.mkdir(parents=True)
        (profile / "registrymodifications.xcu").write_text(_SETTINGS)
        (folder / f"document.{kind}").write_bytes(data)
        command = [
            str(program),
            f"-env:UserInstallation={profile.parent.as_uri()}",
            "--headless",
            "--convert-to",
            target,
        ]
        command.append(f"document.{kind}")
        done = programs.run(command, folder=folder, stdin=b"", limits=limits)
        if done.returncode == _RESTART:
            programs.run(command, folder=folder, stdin=b"", limits=limits)
        converted = folder / f"document.{target}"
        if not converted.is_file():
            raise errors.broken()
        return converted.read_bytes()
