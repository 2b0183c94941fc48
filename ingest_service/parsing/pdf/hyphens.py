"""Words that a line's or page's end cut in two."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from ingest_service.parsing.blocks import Block, BlockKind

_HYPHENS = frozenset("-\u00ad\ufffe")
_REST = re.compile(r"^([^\W\d_]+)(.*)$", re.DOTALL)
# `disse-lhe` keeps its hyphen wherever the line ends.
_PRONOUNS = frozenset(("me", "te", "se", "nos", "vos", "lhe", "lhes", "o", "a", "os", "as", "lo", "la", "los", "las"))

# Accents that no word keeps inside, and beginnings that keep a hyphen before their own last letter and before h.
_ALWAYS = frozenset(("além", "aquém", "pós", "pré", "pró", "recém", "vice"))
_BEGINNINGS = frozenset(("anti", "auto", "contra", "extra", "inter", "micro", "mini", "multi", "semi", "sub", "super"))
_TAIL = re.compile(r"([^\W\d_]+)[-\u00ad\ufffe]$")


def joined(lines: Iterable[str]) -> str:
    """Lines of one paragraph as one text: a word cut by a hyphen is whole again."""
    text = ""
    for line in lines:
        text = _join(text, line.strip())
    return text


def kept_hyphens(items: Sequence[str]) -> dict[str, str]:
    """Compounds that ends of lines cut, by what they become without their hyphen: `microondas`, `micro-ondas`."""
    found: dict[str, str] = {}
    for above, below in pairwise(items):
        if above.rstrip()[-1:] not in _HYPHENS:
            continue
        tail, first = _TAIL.search(above.rstrip()), _REST.match(below)
        if tail and first and first[1][0].islower():
            whole = _join(above.rstrip()[tail.start() :], first[1])
            if "-" in whole:
                found[whole.replace("-", "")] = whole
    return found


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
    tail, first = _TAIL.search(text), _REST.match(line)
    if tail and first and _keeps_hyphen(tail[1].lower(), first[1].lower()):
        return f"{text[:-1]}-{line}"
    return text[:-1] + line


def _keeps_hyphen(before: str, after: str) -> bool:
    """`disse-lhe`, `pós-graduação`, `micro-ondas`, `sexta-feira`."""
    if after in _PRONOUNS or before in _ALWAYS or after in {"feira", "feiras"}:
        return True
    return before in _BEGINNINGS and after[:1] in {before[-1], "h"}


def _is_cut(text: str, line: str) -> bool:
    return text[-1:] in _HYPHENS and text[-2:-1].isalpha() and line[:1].islower()
