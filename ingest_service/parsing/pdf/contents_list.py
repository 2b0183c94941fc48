"""Contents lists: a layout engine reads their titles as one paragraph and their page numbers as another beside it.

Joined into one line the titles look like a sentence that holds every word of the document; each on its own they are
what they are.
"""

import re
from collections.abc import Sequence
from typing import Any

ONLY_PAGE_NUMBERS = re.compile(r"[\s.\d·…|-]+")
SAME_PLACE_POINTS = 4.0
"""The column of numbers begins and ends where the titles do."""


def is_contents_list(block: Any, blocks: Sequence[Any]) -> bool:
    """Whether a column of page numbers stands to the right of this paragraph, line by line.

    Numbers to the left are line numbers, and then the paragraph is text.
    """
    if block.kind != "paragraph" or block.bbox is None:
        return False
    return any(_numbers_beside(block.bbox, other) for other in blocks if other is not block)


def is_page_column(block: Any, blocks: Sequence[Any]) -> bool:
    """Whether the paragraph is the page numbers of a contents list."""
    if block.kind != "paragraph" or not ONLY_PAGE_NUMBERS.fullmatch(block.text or ""):
        return False
    return any(
        other.kind == "paragraph" and other.bbox is not None and _numbers_beside(other.bbox, block) for other in blocks
    )


def lines_of(block: Any, page: Any) -> list[tuple[str, float, float]]:
    """The block's text as it stands on the page: (text, top, bottom) of each line, in points from the page's top."""
    box = block.bbox
    lines: dict[int, list[Any]] = {}
    for item in page.text_items:
        middle = item.y + item.height / 2
        if box.y <= middle <= box.y + box.height and box.x - 1 <= item.x <= box.x + box.width:
            lines.setdefault(round(item.y), []).append(item)
    return [
        (" ".join(item.text for item in sorted(items, key=lambda item: item.x)), top, top + items[0].height)
        for top, items in sorted(lines.items())
    ]


def _numbers_beside(box: Any, other: Any) -> bool:
    return (
        other.kind == "paragraph"
        and other.bbox is not None
        and other.bbox.x >= box.x + box.width
        and abs(other.bbox.y - box.y) < SAME_PLACE_POINTS
        and abs(other.bbox.height - box.height) < SAME_PLACE_POINTS
        and ONLY_PAGE_NUMBERS.fullmatch(other.text or "") is not None
    )
