"""Finding a quote on a page: which boxes to mark."""

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from ingest_service.parsing.ocr.recognised import Box

_LEAST_RUN = 10
"""Letters in a row that must agree where the whole quote is not found: fewer agree by chance."""
_SMALL_GAP = 4
_SAME_LINE = 0.5


def boxes_of(quote: str, pieces: Sequence[tuple[str, Box]]) -> list[Box]:
    """One box for each line (or part of a line) of the page on which the quote stands; empty if it is not there.

    `pieces` are characters or words with their places, in reading order. Spaces, hyphens, case, accents and ligatures
    make no difference, so that a quote is found whose words were cut or cleaned. Of a quote that goes on over the page
    or was mended inside, those parts are marked that agree.
    """
    wanted = _letters(quote)
    page, owners = [], []
    for index, (text, _) in enumerate(pieces):
        letters = _letters(text)
        page.append(letters)
        owners += [index] * len(letters)
    runs = _runs(wanted, "".join(page))
    return _lines(pieces[index][1] for start, end in runs for index in dict.fromkeys(owners[start:end]))


def _letters(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def _runs(wanted: str, page: str) -> list[tuple[int, int]]:
    """Where on the page the letters stand, as `[start, end)`."""
    if not wanted:
        return []
    start = page.find(wanted)
    if start >= 0:
        return [(start, start + len(wanted))]
    blocks = SequenceMatcher(None, wanted, page, autojunk=False).get_matching_blocks()
    runs: list[tuple[int, int]] = []
    before = -_SMALL_GAP - 1
    for block in (block for block in blocks if block.size >= _LEAST_RUN):
        start, end = block.b, block.b + block.size
        if runs and start - runs[-1][1] <= _SMALL_GAP and block.a - before <= _SMALL_GAP:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
        before = block.a + block.size
    return runs


def _lines(boxes: Iterable[Box]) -> list[Box]:
    """Boxes that follow each other on one line as one box."""
    lines: list[Box] = []
    for box in boxes:
        if lines and _side_by_side(lines[-1], box):
            left, top, right, bottom = zip(lines[-1], box, strict=True)
            lines[-1] = (min(left), min(top), max(right), max(bottom))
        else:
            lines.append(box)
    return lines


def _side_by_side(line: Box, box: Box) -> bool:
    """Whether a box stands at the height of the line, and after it and not in the next column."""
    overlap = min(line[3], box[3]) - max(line[1], box[1])
    height = min(line[3] - line[1], box[3] - box[1])
    return overlap >= _SAME_LINE * height and -0.5 * (line[3] - line[1]) <= box[0] - line[2] <= 3 * (line[3] - line[1])
