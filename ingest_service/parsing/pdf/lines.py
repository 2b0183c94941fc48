"""Mending what a layout engine tears apart: sentences of which a line was taken for a table, for code or for a heading.

Seen on PDFs of several producers: the last line of a paragraph above a table becomes the table's first row, a line in
which a word is set in a typewriter face becomes a code block, and a first line that begins with the words of the
heading above it becomes a heading.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ingest_service.parsing.blocks import BlockKind
from ingest_service.parsing.pdf.hyphens import joined

# Lines of one paragraph stand 2-4 points apart; what follows a paragraph keeps 9 points or more.
SAME_PARAGRAPH_POINTS = 6.0
# No page has a longer sentence; joining a hundred thousand lines one by one would take minutes.
LONGEST_PARAGRAPH = 10_000
EDGE = 0.1
"""Of a page's height, where headers, footers and page numbers stand."""
_SENTENCE_END = tuple('.!?:;…”"')


@dataclass(frozen=True, slots=True)
class Line:
    """Text with its vertical place in points from the page's top. `cells` only for table rows, empty ones included,
    with the left edge of each in `lefts`; `size` only for headings, in points."""

    kind: BlockKind
    text: str
    top: float
    bottom: float
    level: int = 0
    cells: tuple[str, ...] = ()
    lefts: tuple[float, ...] = ()
    opens_table: bool = False
    size: float = 0.0


def mended(lines: Iterable[Line]) -> list[Line]:
    """The page's lines with torn sentences joined and wrapped table cells put back into their row."""
    result: list[Line] = []
    for line in lines:
        previous = result[-1] if result else None
        if previous and _goes_on(previous, line):
            text = " ".join(cell for cell in line.cells if cell) if line.cells else line.text
            result[-1] = replace(
                previous,
                kind=BlockKind.PARAGRAPH,
                text=joined([previous.text, text]),
                bottom=line.bottom,
                level=0,
                size=0,
            )
        elif previous and _wrapped_row(previous, line):
            result[-1] = _unwrapped(previous, line)
        else:
            result.append(line)
    return result


def _goes_on(previous: Line, line: Line) -> bool:
    """Whether `line` is the next line of the unfinished sentence that `previous` ends with."""
    return (
        (previous.kind == BlockKind.PARAGRAPH or _begins_a_paragraph(previous, line))
        and len(previous.text) < LONGEST_PARAGRAPH
        and not previous.text.rstrip().endswith(_SENTENCE_END)
        and 0 <= line.top - previous.bottom < SAME_PARAGRAPH_POINTS
        and (line.kind in {BlockKind.PARAGRAPH, BlockKind.TABLE_ROW} or _one_line_of_code(line))
    )


def _begins_a_paragraph(heading: Line, line: Line) -> bool:
    """Whether a heading is the first line of the paragraph below: nobody begins a paragraph with a small letter."""
    return heading.kind == BlockKind.HEADING and line.kind == BlockKind.PARAGRAPH and line.text[:1].islower()


def _one_line_of_code(line: Line) -> bool:
    return line.kind == BlockKind.CODE and "\n" not in line.text


def _wrapped_row(previous: Line, line: Line) -> bool:
    """Whether `line` holds the second lines of the cells above: fewer cells filled, and hardly any gap between."""
    return (
        previous.kind == line.kind == BlockKind.TABLE_ROW
        and len(previous.cells) == len(line.cells)
        and sum(map(bool, line.cells)) < len(line.cells)
        and line.top - previous.bottom < 3.0
    )


def _unwrapped(row: Line, rest: Line) -> Line:
    """The row with each second line appended to the cell above it: the one whose left edge is nearest."""
    cells = list(row.cells)
    for text, left in zip(rest.cells, rest.lefts, strict=True):
        if text:
            above = min(range(len(cells)), key=lambda column: abs(row.lefts[column] - left))
            cells[above] = f"{cells[above]} {text}".strip()
    return replace(row, text=" | ".join(filter(None, cells)), cells=tuple(cells), bottom=rest.bottom)
