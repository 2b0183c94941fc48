"""Running headers and footers that a layout engine takes for the first or last line of the paragraph beside them."""

from dataclasses import replace
from itertools import pairwise
from statistics import median

from ingest_service.parsing.pdf.lines import EDGE, Line

_APART = 1.5
"""A line this many times further away than the paragraph's lines from each other is none of them."""

Printed = tuple[str, float, float]
"""A line as it stands on the page: text, top, bottom."""


def without_header(block: Line, printed: list[Printed], height: float) -> tuple[Line, ...]:
    """The paragraph, its first line by itself if that stands apart at the edge of a page of this height."""
    if len(printed) < 2 or printed[0][1] > EDGE * height or not _stands_apart(printed, 0):
        return (block,)
    cut = _length_of(printed[0][0], block.text)
    if not cut:
        return (block,)
    head = replace(block, text=block.text[:cut], bottom=printed[0][2])
    return head, replace(block, text=block.text[cut:].lstrip(), top=printed[1][1])


def without_footer(block: Line, printed: list[Printed], height: float) -> tuple[Line, ...]:
    """The paragraph, its last line by itself if that stands apart at the edge of a page of this height."""
    if len(printed) < 2 or printed[-1][2] < (1 - EDGE) * height or not _stands_apart(printed, len(printed) - 2):
        return (block,)
    cut = _length_of(printed[-1][0][::-1], block.text[::-1])
    if not cut:
        return (block,)
    foot = replace(block, text=block.text[-cut:], top=printed[-1][1])
    return replace(block, text=block.text[:-cut].rstrip(), bottom=printed[-2][2]), foot


def _stands_apart(printed: list[Printed], index: int) -> bool:
    """Whether the gap below the line is that between two texts."""
    steps = [below[1] - above[1] for above, below in pairwise(printed)]
    gap = steps.pop(index)
    return gap > _APART * median(steps or [printed[0][2] - printed[0][1]])


def _length_of(line: str, text: str) -> int:
    """How much of the beginning of `text` is the line, spaces and marks aside; 0 if it begins otherwise."""
    wanted = [letter for letter in line if letter.isalnum()]
    found = 0
    for position, letter in enumerate(text):
        if found == len(wanted) and letter.isspace():
            return position if found else 0
        if letter.isalnum():
            if found == len(wanted) or letter != wanted[found]:
                return 0
            found += 1
    return 0
