"""Markdown by markdown-it-py (CommonMark and tables), this file being its only importer."""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest_service.parsing.blocks import Block, BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.encodings import decode
from ingest_service.parsing.markup.markdown_table import markdown_table


def parse_markdown(data: bytes, _: ParsingLimits) -> ParsedDocument:
    """Headings, paragraphs, list items, code and tables as a reader sees them: no marks, links by their text.

    HTML inside is dropped. The first heading of level 1 is the title.
    """
    tokens = MarkdownIt("commonmark").enable("table").parse(_without_front_matter(decode(data)))
    blocks = tuple(block for block in _blocks(tokens) if block.text)
    titles = (block.text for block in blocks if block.kind == BlockKind.HEADING and block.level == 1)
    return ParsedDocument(blocks=blocks, title=next(titles, ""))


def _without_front_matter(text: str) -> str:
    """YAML between `---` lines at the very top is for site generators, not for readers."""
    if text.startswith("---\n"):
        _, mark, rest = text[4:].partition("\n---\n")
        return rest if mark else text
    return text


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    level, lists = 0, 0
    rows: list[list[str]] = []
    for token in tokens:
        match token.type:
            case "heading_open" | "heading_close":
                level = int(token.tag[1:]) if token.nesting == 1 else 0
            case "list_item_open" | "list_item_close":
                lists += token.nesting
            case "tr_open":
                rows.append([])
            case "table_close":
                yield Block(kind=BlockKind.TABLE, text=markdown_table(rows))
                rows = []
            case "fence" | "code_block":
                yield Block(kind=BlockKind.CODE, text=token.content.strip("\n"))
            case "inline":
                text = _plain(token.children or []).strip()
                if rows:
                    rows[-1].append(text)
                else:
                    yield _prose(text, level=level, in_list=lists > 0)


def _prose(text: str, *, level: int, in_list: bool) -> Block:
    if level:
        return Block(kind=BlockKind.HEADING, text=" ".join(text.split()), level=level)
    return Block(kind=BlockKind.LIST_ITEM if in_list else BlockKind.PARAGRAPH, text=text)


def _plain(children: list[Token]) -> str:
    parts: list[str] = []
    for token in children:
        if token.type in {"softbreak", "hardbreak"}:
            parts.append("\n")
        elif token.type == "image":
            parts.append(_plain(token.children or []))
        elif token.type in {"text", "code_inline"}:
            parts.append(token.content)
    return "".join(parts)
