"""Tables as Markdown: what chunks quote and answerers read."""

from collections.abc import Sequence, Set


def markdown_table(rows: Sequence[Sequence[str]], *, headless: bool = False) -> str:
    """Rows of cells as one Markdown table, the first row as its header unless it is `headless`.

    Rows and columns without any text are left out, and so are empty cells at the end of a row; empty when no cell has
    text.
    """
    texts = [[_cell(text) for text in row] for row in rows]
    used = {column for row in texts for column, text in enumerate(row) if text}
    if not used:
        return ""
    lines = [_line(row, used) for row in texts if any(row)]
    header, *rest = [f"|{'  |' * len(used)}", *lines] if headless else lines
    return "\n".join([header, f"|{' --- |' * len(used)}", *rest])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _line(row: Sequence[str], used: Set[int]) -> str:
    # Never filled up to the width of the widest row: one row of a million cells would make millions of every other.
    cells = [text for column, text in enumerate(row) if column in used]
    while not cells[-1]:
        cells.pop()
    return f"| {' | '.join(cells)} |"
