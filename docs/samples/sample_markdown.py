"""Read the small Markdown dialect in which the sample PDFs are written.

The sources stay readable on GitHub, so the dialect is a strict subset of Markdown: a front matter with
`title`, `subtitle` and `subject`, headings `#` to `###`, paragraphs, `- ` lists, pipe tables and the inline
marks `**bold**`, `*italic*` and `` `code` ``. A character without a glyph is an error, never a black box.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal
from xml.sax.saxutils import escape

BlockKind = Literal["section", "heading", "subheading", "paragraph", "bullet", "table"]

_HEADINGS: dict[str, BlockKind] = {"#": "section", "##": "heading", "###": "subheading"}
_FRONT_MATTER = ("title", "subtitle", "subject")


class SampleSourceError(ValueError):
    """The source cannot be set as a PDF; the message names the file and says what to change."""


@dataclass(frozen=True)
class Block:
    """One thing on the page. `text` carries reportlab's inline markup; `rows` is filled for tables only."""

    kind: BlockKind
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Sample:
    """A whole source: what the title page says, and the blocks in reading order."""

    title: str
    subtitle: str
    subject: str
    blocks: tuple[Block, ...]


def parse(source: str, name: str) -> Sample:
    """Turn one source into a `Sample`; `name` is used in error messages only."""
    _require_base_font_characters(source, name)
    header, body = _split_front_matter(source, name)
    return Sample(header["title"], header["subtitle"], header["subject"], tuple(_blocks(body)))


def _require_base_font_characters(source: str, name: str) -> None:
    """Helvetica covers Windows-1252 only, and a missing glyph would be a silent black box in the PDF."""
    for number, line in enumerate(source.splitlines(), start=1):
        try:
            line.encode("cp1252")
        except UnicodeEncodeError as error:
            raise SampleSourceError(
                f"{name}, line {number}: {line[error.start]!r} has no glyph in the PDF base fonts."
            ) from error


def _split_front_matter(source: str, name: str) -> tuple[dict[str, str], str]:
    match = re.match(r"---\n(.*?)\n---\n", source, flags=re.DOTALL)
    if match is None:
        raise SampleSourceError(f"{name}: the front matter between two lines of --- is missing.")
    header = dict(re.findall(r"^(\w+): *(.+)$", match[1], flags=re.MULTILINE))
    for key in _FRONT_MATTER:
        if key not in header:
            raise SampleSourceError(f"{name}: the front matter has no {key!r}.")
    return header, source[match.end() :]


def _blocks(body: str) -> Iterator[Block]:
    """Blank lines separate blocks; inside a paragraph or a list item, a line break is only a space."""
    lines = (line.rstrip() for line in body.splitlines())
    for filled, group in groupby(lines, key=bool):
        if filled:
            yield from _group_blocks(list(group))


def _group_blocks(lines: list[str]) -> Iterator[Block]:
    if lines[0].startswith("|"):
        yield Block("table", rows=_table_rows(lines))
        return
    pending: list[str] = []
    for line in lines:
        marks, _, rest = line.partition(" ")
        if marks in _HEADINGS:
            yield from _flush(pending)
            yield Block(_HEADINGS[marks], _inline(rest))
        elif marks == "-":
            yield from _flush(pending)
            pending.append(line)
        else:
            pending.append(line.strip())
    yield from _flush(pending)


def _flush(pending: list[str]) -> Iterator[Block]:
    if pending:
        text = " ".join(pending)
        pending.clear()
        kind: BlockKind = "bullet" if text.startswith("- ") else "paragraph"
        yield Block(kind, _inline(text.removeprefix("- ")))


def _table_rows(lines: list[str]) -> tuple[tuple[str, ...], ...]:
    """The second line of a pipe table is its rule (`|---|---|`) and carries no text."""
    cells = [tuple(_inline(cell.strip()) for cell in line.strip("|").split("|")) for line in lines]
    return (cells[0], *cells[2:])


def _inline(text: str) -> str:
    """Escape for reportlab's XML-like markup, then put the three inline marks in.

    Code goes first and is cut out of the text, so that a `*` inside it stays a star.
    """
    parts = re.split(r"`([^`]+)`", escape(text))
    for index, part in enumerate(parts):
        if index % 2:
            parts[index] = f'<font name="Courier">{part}</font>'
        else:
            bold = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", part)
            parts[index] = re.sub(r"\*(.+?)\*", r"<i>\1</i>", bold)
    return "".join(parts)
