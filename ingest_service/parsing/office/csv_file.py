"""CSV as spreadsheets of all countries write it. Values stay as they are written: `12,5` is not a number here."""

import csv
from collections import Counter
from itertools import islice

from ingest_service.parsing import errors
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.encodings import decode
from ingest_service.parsing.office.grid import blocks_of_grid

_DELIMITERS = "\t;|,"
"""The comma last: it also stands in numbers and sentences."""
_SAMPLE_ROWS = 50
_HINT = "sep="


def parse_csv(data: bytes, _: ParsingLimits) -> ParsedDocument:
    """One table, or several where empty lines part them. Raises `BrokenDocument` for what no CSV reader takes."""
    # A cell may be as long as the file: the limit of the file is ours. It holds for all of the process, so never less.
    csv.field_size_limit(max(len(data) + 1, csv.field_size_limit()))
    lines = decode(data).replace("\0", "").split("\n")
    delimiter = ""
    if lines[0].lower().startswith(_HINT):
        delimiter = lines.pop(0)[len(_HINT) :].strip("\r")[:1]
    # The reader wants line ends: without them a quoted cell of several lines would lose the breaks.
    lines = [f"{line}\n" for line in lines]
    try:
        rows = csv.reader(lines, delimiter=delimiter or _delimiter(lines))
        return ParsedDocument(blocks=tuple(blocks_of_grid(rows, None)))
    except (csv.Error, TypeError) as error:
        raise errors.broken() from error


def _delimiter(lines: list[str]) -> str:
    """The character that parts the most rows into the same number of cells."""

    def agreement(delimiter: str) -> float:
        widths = Counter(len(row) for row in islice(csv.reader(lines, delimiter=delimiter), _SAMPLE_ROWS) if row)
        width, count = max(widths.items(), key=lambda item: item[1], default=(1, 0))
        return count / widths.total() if width > 1 else 0.0

    return max(_DELIMITERS, key=agreement)
