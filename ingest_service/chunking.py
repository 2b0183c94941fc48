"""Packing a canonical text into passages: 80-130 words, whole sentences, a fifth of overlap, never across a heading.

A passage stays on its page, so that a citation names the page where the quote stands; only a sentence that runs over
the end of a page takes its passage along.

The sizes were measured best for Portuguese questions. Each passage is an exact slice of the canonical text, so a
quote from it is literal; title and headings go to the embedding and the lexical vector only (`searchable_text`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest_service.canonical import CanonicalText, Span
from ingest_service.parsing.blocks import Block, BlockKind
from ingest_service.sentences import MAX_WORDS, pieces, sentences, words
from shared.models import Frozen

ENOUGH_WORDS = 80
"""A passage this long ends with its paragraph."""
OVERLAP_WORDS = 26
"""At most so many words of closing sentences are repeated at the start of the next passage (20 % of 130)."""

_SENTENCE_END = '.!?:;…”"'

FINGERPRINT = f"blocks-2/{ENOUGH_WORDS}-{MAX_WORDS}-{OVERLAP_WORDS}"
"""Changes whenever the same document would be cut otherwise; part of every chunk's id."""


class Passage(Frozen):
    """`text` is `canonical.text[start:end]`."""

    text: str
    start: int
    end: int
    page_start: int | None
    page_end: int | None
    heading_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a sentence, a table row, a piece of code."""

    start: int
    end: int
    words: int
    block: Block
    ends_block: bool


@dataclass(frozen=True, slots=True)
class _Section:
    """What stands under one heading."""

    heading_path: tuple[str, ...]
    units: tuple[_Unit, ...]


def passages(canonical: CanonicalText) -> list[Passage]:
    """The passages in document order; empty for a text without a word."""
    return [
        _passage(canonical, section.heading_path, units)
        for section in _sections(canonical)
        for units in _packed(section.units, canonical.text)
    ]


def searchable_text(title: str, heading_path: tuple[str, ...], text: str) -> str:
    """What vectors are made of: the passage with its surroundings in front."""
    above = [title, *(heading for heading in heading_path if heading != title)]
    return "\n".join([" > ".join(part for part in above if part), text])


def _sections(canonical: CanonicalText) -> Iterator[_Section]:
    path: list[tuple[int, Span]] = []
    units: list[_Unit] = []
    bare: Span | None = None
    for span in canonical.spans:
        if span.block.kind != BlockKind.HEADING:
            units.extend(_units(canonical.text, span))
            bare = None
            continue
        if units:
            yield _Section(_titles(canonical, path), tuple(units))
            units = []
        if bare and span.block.level <= bare.block.level:
            yield _heading_alone(canonical, path, bare)
        while path and path[-1][0] >= span.block.level:
            path.pop()
        path.append((span.block.level, span))
        bare = span
    if units:
        yield _Section(_titles(canonical, path), tuple(units))
    if bare:
        yield _heading_alone(canonical, path, bare)


def _heading_alone(canonical: CanonicalText, path: list[tuple[int, Span]], span: Span) -> _Section:
    """A heading with nothing under it would be lost, and with it the only words of a title page."""
    return _Section(_titles(canonical, path[:-1]), tuple(_units(canonical.text, span)))


def _titles(canonical: CanonicalText, path: Iterable[tuple[int, Span]]) -> tuple[str, ...]:
    return tuple(" ".join(canonical.text[span.start : span.end].split()) for _, span in path)


def _units(text: str, span: Span) -> Iterator[_Unit]:
    inner = text[span.start : span.end]
    whole = span.block.kind in {BlockKind.TABLE_ROW, BlockKind.CODE}
    found = list(pieces(inner) if whole else sentences(inner))
    for number, (start, end) in enumerate(found, 1):
        yield _Unit(
            span.start + start, span.start + end, words(inner[start:end]), span.block, ends_block=number == len(found)
        )


def _packed(units: tuple[_Unit, ...], canonical: str) -> Iterator[list[_Unit]]:
    current: list[_Unit] = []
    size = 0
    fresh = 0  # units of `current` that no earlier passage holds
    for position, unit in enumerate(units):
        if current and _turns_the_page(current[-1], unit, canonical):
            if fresh:
                yield current
            current, size, fresh = [], 0, 0
        if fresh and size + unit.words > MAX_WORDS:
            yield current
            current = _overlap(current, room=MAX_WORDS - unit.words)
            size, fresh = sum(kept.words for kept in current), 0
        current.append(unit)
        size, fresh = size + unit.words, fresh + 1
        if size >= ENOUGH_WORDS and unit.ends_block and _much_left(units[position + 1 :]):
            yield current
            current = _overlap(current, room=OVERLAP_WORDS)
            size, fresh = sum(kept.words for kept in current), 0
    if fresh:
        yield current


def _turns_the_page(last: _Unit, unit: _Unit, canonical: str) -> bool:
    """Whether `unit` stands on another page than `last` without going on with its sentence."""
    if last.block.page == unit.block.page:
        return False
    prose = last.block.kind == unit.block.kind == BlockKind.PARAGRAPH
    return not (prose and canonical[last.end - 1] not in _SENTENCE_END and canonical[unit.start].islower())


def _much_left(rest: tuple[_Unit, ...]) -> bool:
    """Whether what follows is worth a passage of its own; a short rest is packed with what stands before it."""
    left = 0
    for unit in rest:
        left += unit.words
        if left > MAX_WORDS - ENOUGH_WORDS:
            return True
    return False


def _overlap(units: list[_Unit], *, room: int) -> list[_Unit]:
    """The closing sentences that are repeated: prose only, since rows and code stand for themselves."""
    kept: list[_Unit] = []
    budget = min(room, OVERLAP_WORDS)
    for unit in reversed(units[1:]):
        if unit.words > budget or unit.block.kind in {BlockKind.TABLE_ROW, BlockKind.CODE}:
            break
        kept.insert(0, unit)
        budget -= unit.words
    return kept


def _passage(canonical: CanonicalText, heading_path: tuple[str, ...], units: list[_Unit]) -> Passage:
    start, end = units[0].start, units[-1].end
    pages = [unit.block.page for unit in units if unit.block.page is not None]
    return Passage(
        text=canonical.text[start:end],
        start=start,
        end=end,
        page_start=min(pages, default=None),
        page_end=max(pages, default=None),
        heading_path=heading_path,
    )
