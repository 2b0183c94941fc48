"""What an answer can be made of: the sentences of a passage, and its table rows put into words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from query_service.words.plain_text import plain
from query_service.words.sentences import Span, is_item, sentences, without_marker

LIST_CHARS = 600
"""A list is shown with the sentence that announces it up to this length."""

_ENDS = re.compile(r"[.!…][\"'”’»)\]*_`]*\Z")
_BEGINS = re.compile(r"[\"'“‘«(\[*_`]*[A-ZÀ-ÖØ-Þ0-9]")
_RULE = re.compile(r"[\s|:\-]+")


class Kind(Enum):
    SENTENCE = "sentence"
    """Begins and ends as a sentence does."""
    ROW = "row"
    """A table row, in words."""
    FRAGMENT = "fragment"
    """Anything else: headings, slide bullets, contents pages, sentences that the border of a chunk cuts."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`text` is what a visitor reads for `span`."""

    span: Span
    text: str
    kind: Kind


def pieces(text: str, context: str = "") -> list[Piece]:
    """The readable pieces of a passage in order, without headings, table heads and stumps; questions are kept.

    `context` is the head of the table that the passage begins in the middle of.

    A sentence that announces a list comes with its items, a table row with the names of its columns.
    """
    spans = list(sentences(text))
    literal = [text[span.start : span.end] for span in spans]
    found: list[Piece] = []
    head: str | None = context or None
    for at, (span, raw) in enumerate(zip(spans, literal, strict=True)):
        if is_row(raw):
            if head is None:
                head = raw if at > 0 or _may_be_head(raw) else ""
            if raw is not head and (row := _row_in_words(head, raw)):
                found.append(Piece(span, row, Kind.ROW))
            continue
        head = None
        if raw.startswith("#") or raw.isupper() or len(raw.split()) < 2:
            continue
        end = _list_end(spans, literal, at) if raw.endswith(":") else at
        shown = plain(" ".join(without_marker(part) for part in literal[at : end + 1]))
        kind = Kind.SENTENCE if end > at or _is_whole(raw, first=at == 0) else Kind.FRAGMENT
        found.append(Piece(Span(span.start, spans[end].end), shown, kind))
    return found


def is_row(raw: str) -> bool:
    return " | " in raw or raw.startswith("|")


def _may_be_head(row: str) -> bool:
    """Whether the row that a passage begins with names columns: it may as well be from the middle of a cut table."""
    return all(cell[0].isupper() and not any(map(str.isdigit, cell)) for cell in _cells(row) if cell)


def _row_in_words(head: str, row: str) -> str | None:
    """`Porta: 8000; Serviço: query_service.`, or None for the rule under a head and for rows that do not fit it.

    Without a head, only the cells: a wrong name would be a wrong answer.
    """
    cells = _cells(row)
    names = _cells(head) if head else [""] * len(cells)
    if _RULE.fullmatch(row) or len(names) != len(cells):
        return None
    return ended(
        "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=True) if cell)
    )


def _cells(row: str) -> list[str]:
    return [plain(cell).rstrip(".") for cell in row.strip().strip("|").split("|")]


def _list_end(spans: Sequence[Span], literal: Sequence[str], lead: int) -> int:
    """The index of the last item that belongs to the announcing sentence at `lead`."""
    end = lead
    while end + 1 < len(spans) and spans[end + 1].end - spans[lead].start <= LIST_CHARS:
        following = literal[end + 1]
        if not (is_item(following) or following.endswith(";") or following[:1].islower()):
            break
        end += 1
    return end


def _is_whole(raw: str, *, first: bool) -> bool:
    """Ends as a sentence does, and begins as one; a small letter is fine where a paragraph begins ("eMBB: ...")."""
    body = without_marker(raw)
    return bool(_ENDS.search(body)) and (bool(_BEGINS.match(body)) or not (first or is_item(raw)))


def ended(text: str) -> str:
    """`text` with a full stop, if it has no end of its own."""
    return text if _ENDS.search(text) or text.endswith("?") else text.rstrip(" ;:,") + "."
