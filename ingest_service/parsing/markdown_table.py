"""Tables as Markdown: what chunks quote and answerers read."""

from collections.abc import Sequence


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as one Markdown table, the first row as its header; short rows are filled up, rows and columns
    without any text left out. Empty when no cell has text."""
    filled = [cells for row in rows if any(cells := [_cell(text) for text in row])]
    if not filled:
        return ""
    width = max(map(len, filled))
    used = [column for column in range(width) if any(column < len(cells) and cells[column] for cells in filled)]
    lines = [_line([cells[column] if column < len(cells) else "" for column in used]) for cells in filled]
    return "\n".join([lines[0], _line(["---"] * len(used)), *lines[1:]])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
