"""Where sentences of Portuguese (or English) prose end, and how over-long ones are cut."""

import re
from collections.abc import Callable, Iterator

MAX_WORDS = 130
CHARS_A_WORD = 12
"""A text without spaces (hashes, encoded data) counts one word for so many characters, so that it is cut too."""

# Tried once at the start of a row of stops and never taken back: a megabyte of dots would otherwise take for ever.
_BOUNDARY = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+\s++(?=[\"'“‘«(\[]?[A-ZÀ-ÖØ-Þ0-9§•–])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:sr|sra|srta|dr|dra|prof|profa|eng|art|arts|av|fig|figs|tab|cap|ed|org|pág|págs|pag|p|pp|n|no|nº|núm|vol"
    r"|ex|al|cf|vs|etc|inc|res|ltda|cia|tel|min|máx|aprox|mr|mrs|ms|st|i\.e|e\.g)|\b[A-Z])\.\s+$",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 8
_WORD = re.compile(r"\S+")
_UNBROKEN = re.compile(r"\S{200}")
"""No word: encoded data, a drawn line, a hash. The splitter would weigh each of its characters."""
_LINE = re.compile(r"[^\n]+")
LONGEST_SENTENCE = 20_000
"""More characters are no sentence: a table on one line, a log, data. The splitter takes seconds for a megabyte."""

Measure = Callable[[str], int]
"""How long a text is, in words or in what counts as one."""


def words(text: str) -> int:
    """The length that chunk sizes are counted in."""
    return max(len(text.split()), len(text) // CHARS_A_WORD)


def sentences(text: str, measure: Measure = words) -> Iterator[tuple[int, int]]:
    """`[start, end)` of each sentence, without the space between them; over-long ones come in pieces."""
    start = 0
    for match in _BOUNDARY.finditer(text):
        # Only the end of the sentence is looked at: a text of nothing but abbreviations is one long sentence.
        if match.start() < 4 and text[: match.start()].isdigit():  # `2.` in front of a list's item
            continue
        if _ABBREVIATION.search(text, max(start, match.start() - _LONGEST_ABBREVIATION), match.end()):
            continue
        yield from _pieces(text, start, match.end(), measure)
        start = match.end()
    yield from _pieces(text, start, len(text), measure)


def pieces(text: str, measure: Measure = words) -> Iterator[tuple[int, int]]:
    """`[start, end)` of a text kept whole where it is short enough, else of its pieces."""
    yield from _pieces(text, 0, len(text), measure)


def rows(table: str, measure: Measure = words) -> Iterator[tuple[int, int]]:
    """`[start, end)` of a Markdown table's rows; head, rule and first row stay together."""
    lines = [(found.start(), found.end()) for found in _LINE.finditer(table)]
    head = min(3, len(lines))
    for start, end in [(lines[0][0], lines[head - 1][1]), *lines[head:]]:
        yield from _pieces(table, start, end, measure)


def _pieces(text: str, start: int, end: int, measure: Measure) -> Iterator[tuple[int, int]]:
    """The stretch itself, or its pieces of at most `MAX_WORDS`, cut where it hurts least."""
    part = text[start:end].strip()
    if not part:
        return
    start = text.index(part, start)
    if len(part) > LONGEST_SENTENCE or _UNBROKEN.search(part):
        yield from _counted(text, start, start + len(part), measure)
        return
    if measure(part) <= MAX_WORDS:
        yield start, start + len(part)
        return
    # Imported here: it costs half a second, and most documents have no such sentence.
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        separators=["\n", "; ", ": ", ", ", " ", ""],
        keep_separator="end",
        chunk_size=MAX_WORDS,
        chunk_overlap=0,  # with an overlap its own start indices are wrong for one chunk in five
        length_function=measure,
    )
    position = start
    for piece in splitter.split_text(part):
        position = text.index(piece, position)
        yield position, position + len(piece)
        position += len(piece)


def _counted(text: str, start: int, end: int, measure: Measure) -> Iterator[tuple[int, int]]:
    """Pieces of so many words or letters, whatever they mean: each letter is looked at once."""
    first = last = start
    count = 0
    for word in _WORD.finditer(text, start, end):
        if count == MAX_WORDS or (count and word.end() - first > MAX_WORDS * CHARS_A_WORD):
            yield from _halved(text, first, last, measure)
            first, count = word.start(), 0
        last, count = word.end(), count + 1
    yield from _halved(text, first, last, measure)


def _halved(text: str, start: int, end: int, measure: Measure) -> Iterator[tuple[int, int]]:
    longest = MAX_WORDS * CHARS_A_WORD
    if end - start > longest:
        for piece in range(start, end, longest):
            yield from _halved(text, piece, min(piece + longest, end), measure)
    elif end - start > 1 and measure(text[start:end]) > MAX_WORDS:
        middle = text.rfind(" ", start, (start + end) // 2) + 1 or (start + end) // 2
        yield from _halved(text, start, middle, measure)
        yield from _halved(text, middle, end, measure)
    else:
        yield start, end
