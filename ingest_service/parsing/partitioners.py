"""DOCX, PPTX and HTML by unstructured, this file being its only importer.

Of unstructured it uses the reading of structure and nothing else: no language model, no network, no files. At first
call it would download an English spaCy model and write it among the installed packages, and report its use to its
makers; both are switched off before its import. Its three questions to the language model are answered by rules that
typed 151 of 151 Portuguese paragraphs right (a blank spaCy pipeline: 87): docs/decisions/0005-parsers.md.
"""

import importlib.machinery
import io
import os
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from ingest_service.parsing.blocks import Block, BlockKind
from ingest_service.parsing.markup.html_tables import rows_of
from ingest_service.parsing.markup.markdown_table import markdown_table

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_WORD = re.compile(r"\w+|[^\w\s]")
_RULES: dict[str, Callable[[str], Any]] = {
    "sent_tokenize": _SENTENCE_END.split,
    "word_tokenize": _WORD.findall,
    "contains_verb": lambda _: True,
}
_KINDS = {
    "ListItem": BlockKind.LIST_ITEM,
    "CodeSnippet": BlockKind.CODE,
}
_RUNNING = frozenset({"Header", "Footer"})
# A picture's text is its file name as often as not.
_PASSED_OVER = _RUNNING | {"PageBreak", "Image"}


def docx_blocks(package: bytes) -> list[Block]:
    """Blocks of a DOCX package, with pages if page breaks were saved in it.

    Running heads and feet stand once, and before all else.
    """
    partition = _partitioner("docx")
    elements = list(partition(file=io.BytesIO(package), languages=["por"], include_page_breaks=False))
    running = dict.fromkeys(element.text.strip() for element in elements if element.category in _RUNNING)
    page = next((element.metadata.page_number for element in elements if element.metadata.page_number), None)
    heads = [Block(kind=BlockKind.PARAGRAPH, text=text, page=page) for text in running if text]
    return [*heads, *_blocks(elements, deepest_heading=9)]


def pptx_blocks(package: bytes) -> list[Block]:
    """Blocks of a PPTX package, the slide's number as page, without notes."""
    elements = _partitioner("pptx")(file=io.BytesIO(package), languages=["por"], include_page_breaks=False)
    # Only the title of a slide has depth 0; other short lines are taken for titles by their looks.
    return list(_blocks(elements, deepest_heading=1))


def html_blocks(text: str) -> list[Block]:
    """Blocks of an HTML page that is already decoded and rid of what is not text."""
    elements = _partitioner("html")(text=text, languages=["por"])
    return list(_blocks(elements, deepest_heading=6))


@cache
def _partitioner(kind: str) -> Callable[..., Iterable[Any]]:
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["UNSTRUCTURED_DISABLE_NOTICE"] = "1"
    if "spacy" not in sys.modules:
        absent = types.ModuleType("spacy")
        absent.__spec__ = importlib.machinery.ModuleSpec("spacy", None)
        sys.modules["spacy"] = absent
    from unstructured.partition import text_type

    for question, rule in _RULES.items():
        setattr(text_type, question, rule)
    partition: Callable[..., Iterable[Any]] = getattr(
        import_module(f"unstructured.partition.{kind}"), f"partition_{kind}"
    )
    return partition


def _blocks(elements: Iterable[Any], *, deepest_heading: int) -> Iterator[Block]:
    for element in elements:
        page, depth = element.metadata.page_number, element.metadata.category_depth or 0
        text = element.text.strip()
        if element.category in _PASSED_OVER or not text:
            continue
        if element.category == "Table":
            rows = rows_of(element.metadata.text_as_html) if element.metadata.text_as_html else []
            yield Block(kind=BlockKind.TABLE, text=markdown_table(rows) or markdown_table([[text]]), page=page)
        elif element.category == "Title" and depth < deepest_heading:
            yield Block(kind=BlockKind.HEADING, text=" ".join(text.split()), level=depth + 1, page=page)
        else:
            yield Block(kind=_KINDS.get(element.category, BlockKind.PARAGRAPH), text=text, page=page)
