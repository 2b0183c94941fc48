"""The canonical text of a document: what quotes are slices of."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ingest_service.parsing.blocks import Block

SEPARATOR = "\n\n"
_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
# Soft hyphens, zero-width characters, byte-order marks and the U+FFFE that PDF engines leave for a hyphen at a line's
# end show nothing, yet keep a word from being found.
_INVISIBLE = dict.fromkeys((0x00AD, 0x200B, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF))
_SPACES = dict.fromkeys((0x00A0, 0x2007, 0x2009, 0x202F), " ")
# What remains of control characters means nothing, and PostgreSQL refuses NUL.
_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {0x09, 0x0A})
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_MARKS = "".join(chr(code) for code in range(0x300, 0x1E950) if unicodedata.combining(chr(code)))
# Normalizing takes the square of the marks on one letter, and everything else waits meanwhile: 90,000 took 8 s. No
# script needs more than 30 (Unicode's Stream-Safe Text Format).
_TOO_MANY_MARKS = re.compile(f"[{_MARKS}]{{31,}}")
_PERHAPS_MARKS = re.compile("[\u0300-\U0001e94f]{31}")
"""Thirty times faster to look for, and rare."""


def _windows_characters() -> dict[int, str]:
    """C1 controls in a text are Windows-1252 characters that lost their code page (0x93 is a quotation mark)."""
    found: dict[int, str] = {}
    for code in range(0x80, 0xA0):
        character = bytes([code]).decode("cp1252", errors="ignore")
        if character:
            found[code] = character
    return found


_MENDING: dict[int, str | None] = {**_CONTROLS, **_INVISIBLE, **_SPACES, **_LIGATURES, **_windows_characters()}


_TO_MEND = re.compile("[" + "".join(re.escape(chr(code)) for code in _MENDING) + "\ud800-\udfff]")
"""Most texts have nothing to mend, and looking is ten times faster than mending."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a block stands in the canonical text: `[start, end)`."""

    start: int
    end: int
    block: Block


@dataclass(frozen=True, slots=True)
class CanonicalText:
    """The blocks joined by a blank line, and where each of them stands."""

    text: str
    spans: tuple[Span, ...]


def clean(text: str) -> str:
    """The same words in one spelling: NFC, ligatures as letters, nothing invisible, no stray controls."""
    if _TO_MEND.search(text):
        text = _SURROGATES.sub("\ufffd", text.translate(_MENDING))
    if _PERHAPS_MARKS.search(text):
        text = _TOO_MANY_MARKS.sub(lambda marks: marks[0][:30], text)
    return unicodedata.normalize("NFC", text).strip()


def canonical_text(blocks: Iterable[Block]) -> CanonicalText:
    """Clean the blocks and join them. Blocks without a visible character are left out."""
    parts: list[str] = []
    spans: list[Span] = []
    position = 0
    for block in blocks:
        text = clean(block.text)
        if not text:
            continue
        spans.append(Span(start=position, end=position + len(text), block=block))
        parts.append(text)
        position += len(text) + len(SEPARATOR)
    return CanonicalText(text=SEPARATOR.join(parts), spans=tuple(spans))
