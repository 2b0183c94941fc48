"""What every parser gives: blocks of text in reading order. Everything after parsing sees only these."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from shared.models import Frozen


class BlockKind(StrEnum):
    """What a block is to the chunker."""

    HEADING = "heading"
    """Opens a section; no chunk crosses it."""
    PARAGRAPH = "paragraph"
    """Prose: may be cut between sentences."""
    LIST_ITEM = "list_item"
    """One item of a list."""
    CODE = "code"
    """Lines that are kept as they are."""
    TABLE = "table"
    """A whole table as Markdown lines, the first two of them header and rule; a long one is cut between rows."""
    TABLE_ROW = "table_row"
    """One row of a table, cells joined by ` | `; never cut."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of text. `level` is a heading's depth from 1; `page` counts from 1 and is None without pages;
    `page_label` is what the document itself prints as page number ("iv"), if it says so."""

    kind: BlockKind
    text: str
    level: int = 0
    page: int | None = None
    page_label: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document as read: its blocks, its own title if it names one, and its number of pages if it has pages.

    `note` tells its owner what could not be read although the rest was, such as pages that are images while there is
    no text recognition; empty when all is well.
    """

    blocks: tuple[Block, ...]
    title: str = ""
    pages: int | None = None
    note: str = ""


class ParsingLimits(Frozen):
    """What one document may cost."""

    max_pages: int = Field(ge=1)
    timeout_s: float = Field(gt=0)
    memory_mb: int = Field(ge=256)
    max_unpacked_mb: int = Field(512, ge=1)
