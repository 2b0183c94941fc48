"""Packing a canonical text into passages: 80-130 words, whole sentences, a fifth of overlap, never across a heading.

A passage stays on its page, so that a citation names the page where the quote stands; only a sentence that runs over
the end of a page takes its passage along.

The sizes were measured best for Portuguese questions. Each passage is an exact slice of the canonical text, so a
quote from it is literal; title and headings go to the embedding and the lexical vector only (`searchable_text`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from ingest_service.parsing.blocks import Block, BlockKind
from ingest_service.passages.canonical import CanonicalText, Span
from ingest_service.passages.sentences import MAX_WORDS, Measure, pieces, rows, sentences, words

ENOUGH_WORDS = 80
"""A passage this long ends with its paragraph."""
TITLE_CHARS = 120
"""So much of a title goes in front of a passage."""
RESERVED_TOKENS = 56
"""Kept free in a model's window: the title, whatever it becomes later, and the marks that the model adds."""
OVERLAP_WORDS = 26
"""At most so many words of closing sentences are repeated at the start of the next passage (20 % of 130)."""

WHOLE = frozenset({BlockKind.TABLE, BlockKind.TABLE_ROW, BlockKind.CODE})
"""Kinds that hold no sentences."""

_SENTENCE_END = '.!?:;…”"'

FINGERPRINT = f"blocks-4/{ENOUGH_WORDS}-{MAX_WORDS}-{OVERLAP_WORDS}"
"""Changes whenever the same document would be cut otherwise; part of every chunk's id."""


@dataclass(frozen=True, slots=True)
class Passage:
    """`text` is `canonical.text[start:end]`; `context` is the head of the table whose later rows it holds."""

    text: str
    start: int
    end: int
    page_start: int | None
    page_end: int | None
    heading_path: tuple[str, ...]
    context: str = ""


class Window(Protocol):
    """What an embedding model says of the texts that it can take (`shared.embeddings.protocol.Embedder`)."""

    window: int

    def count_tokens(self, text: str) -> int: ...


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a sentence, a short table or a row of a long one, a piece of code."""

    start: int
    end: int
    words: int
    block: Block
    ends_block: bool
    context: str = ""


@dataclass(frozen=True, slots=True)
class _Section:
    """What stands under one heading."""

    heading_path: tuple[str, ...]
    units: tuple[_Unit, ...]


def passages(canonical: CanonicalText, *, window: Window | None = None) -> list[Passage]:
    """The passages in document order; empty for a text without a word.

    With the `window` of an embedding model none is longer than what the model reads, the title and headings that go
    in front of it included: a model cuts off what does not fit, and nobody notices.
    """
    return [
        _passage(canonical, section.heading_path, units)
        for section in _sections(canonical, window)
        for units in _packed(section.units, canonical.text)
    ]


def searchable_text(title: str, heading_path: tuple[str, ...], context: str, text: str) -> str:
    """What vectors are made of: the passage with its surroundings in front."""
    above = [title[:TITLE_CHARS], *(heading for heading in heading_path if heading != title)]
    return "\n".join(filter(None, [" > ".join(part for part in above if part), context, text]))


def _measure(heading_path: tuple[str, ...], window: Window | None) -> Measure:
    """A text's length in words, or in what a word may at most take of the model's window if that is more."""
    if window is None:
        return words
    above = window.count_tokens(searchable_text("", heading_path, "", ""))
    # However long the headings, half of the window is the passage's.
    room = max(window.window - above - RESERVED_TOKENS, window.window // 2)
    return lambda text: max(words(text), ceil(window.count_tokens(text) * MAX_WORDS / room))


def _sections(canonical: CanonicalText, window: Window | None) -> Iterator[_Section]:
    path: list[tuple[int, Span]] = []
    units: list[_Unit] = []
    bare: Span | None = None
    measure = _measure((), window)
    for span in canonical.spans:
        if span.block.kind != BlockKind.HEADING:
            units.extend(_units(canonical.text, span, measure))
            bare = None
            continue
        if units:
            yield _Section(_titles(canonical, path), tuple(units))
            units = []
        if bare and span.block.level <= bare.block.level:
            yield _heading_alone(canonical, path, bare, measure)
        while path and path[-1][0] >= span.block.level:
            path.pop()
        path.append((span.block.level, span))
        measure = _measure(_titles(canonical, path), window)
        bare = span
    if units:
        yield _Section(_titles(canonical, path), tuple(units))
    if bare:
        yield _heading_alone(canonical, path, bare, measure)


def _heading_alone(canonical: CanonicalText, path: list[tuple[int, Span]], span: Span, measure: Measure) -> _Section:
    """A heading with nothing under it would be lost, and with it the only words of a title page."""
    return _Section(_titles(canonical, path[:-1]), tuple(_units(canonical.text, span, measure)))


def _titles(canonical: CanonicalText, path: Iterable[tuple[int, Span]]) -> tuple[str, ...]:
    return tuple(" ".join(canonical.text[span.start : span.end].split()) for _, span in path)


def _units(text: str, span: Span, measure: Measure) -> Iterator[_Unit]:
    inner = text[span.start : span.end]
    context = ""
    if span.block.kind == BlockKind.TABLE and measure(inner) > MAX_WORDS:
        found = list(rows(inner, measure))
        context = inner.partition("\n")[0]
    elif span.block.kind in WHOLE:
        found = list(pieces(inner, measure))
    else:
        found = list(sentences(inner, measure))
    for number, (start, end) in enumerate(found, 1):
        yield _Unit(
            span.start + start,
            span.start + end,
            measure(inner[start:end]),
            span.block,
            ends_block=number == len(found),
            context=context if start else "",
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
        if size >= ENOUGH_WORDS and unit.ends_block and _much_left(units, position + 1):
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


def _much_left(units: tuple[_Unit, ...], position: int) -> bool:
    """Whether what follows is worth a passage of its own; a short rest is packed with what stands before it."""
    left = 0
    for later in range(position, len(units)):
        left += units[later].words
        if left > MAX_WORDS - ENOUGH_WORDS:
            return True
    return False


def _overlap(units: list[_Unit], *, room: int) -> list[_Unit]:
    """The closing sentences that are repeated: prose only, since rows and code stand for themselves."""
    kept: list[_Unit] = []
    budget = min(room, OVERLAP_WORDS)
    for unit in reversed(units[1:]):
        if unit.words > budget or unit.block.kind in WHOLE:
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
        context=units[0].context,
    )
