"""Words that a line's or page's end cut in two."""

import re
from collections.abc import Iterable
from dataclasses import replace

from ingest_service.parsing.blocks import Block, BlockKind

_HYPHENS = frozenset("-\u00ad\ufffe")
_REST = re.compile(r"^([^\W\d_]+)(.*)$", re.DOTALL)
# `disse-lhe` keeps its hyphen wherever the line ends.
_PRONOUNS = frozenset(("me", "te", "se", "nos", "vos", "lhe", "lhes", "o", "a", "os", "as", "lo", "la", "los", "las"))


def joined(lines: Iterable[str]) -> str:
    """Lines of one paragraph as one text: a word cut by a hyphen is whole again."""
    text = ""
    for line in lines:
        text = _join(text, line.strip())
    return text


def split_at_page_end(blocks: list[Block]) -> list[Block]:
    """The blocks with each word that two pages share put on the first of them."""
    result = list(blocks)
    for index in range(len(result) - 1):
        above, below = result[index], result[index + 1]
        prose = above.kind == below.kind == BlockKind.PARAGRAPH
        rest = _REST.match(below.text)
        if not prose or above.page == below.page or not rest or not _is_cut(above.text, below.text):
            continue
        tail = re.match(r"\S*", below.text)
        word = tail.group() if tail else ""
        if word == below.text:
            continue
        result[index] = replace(above, text=_join(above.text, word))
        result[index + 1] = replace(below, text=below.text[len(word) :].lstrip())
    return result


def _join(text: str, line: str) -> str:
    if not text or not line:
        return text or line
    if not _is_cut(text, line):
        return f"{text} {line}"
    first = _REST.match(line)
    if first and first[1].lower() in _PRONOUNS:
        return text + line
    return text[:-1] + line


def _is_cut(text: str, line: str) -> bool:
    return text[-1:] in _HYPHENS and text[-2:-1].isalpha() and line[:1].islower()
