"""What a reading process tells about a PDF: small records, so that thousands of pages fit into memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ingest_service.parsing.pdf.lines import EDGE, Line


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """A PDF that opens. `path` is where to read it: the original, or its repaired copy."""

    path: Path
    pages: int
    title: str
    repaired: bool


@dataclass(frozen=True, slots=True)
class PdfPage:
    """One page with its text in reading order. `characters` counts what is not white; `height` is in points."""

    number: int
    label: str | None
    lines: tuple[Line, ...]
    characters: int
    height: float

    def at_edge(self, line: Line) -> bool:
        """Whether the line stands where headers and footers do."""
        return line.top < EDGE * self.height or line.bottom > (1 - EDGE) * self.height


@dataclass(frozen=True, slots=True)
class PdfWindow:
    """Neighbouring pages. `to_recognise` are those whose text is an image (or whose text layer makes no sense),
    `failed` those that gave an error."""

    pages: tuple[PdfPage, ...]
    to_recognise: tuple[int, ...]
    failed: tuple[int, ...]


def page_ranges(numbers: Iterable[int]) -> str:
    """`3, 7-9` for 3, 7, 8, 9."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)
