"""Tables in HTML as rows of cells."""

from lxml import etree, html

MAX_SPAN = 100
"""Of a colspan or rowspan: browsers allow 1,000 columns, and a page can claim that in every cell."""
MAX_CELLS = 200_000


def rows_of(table: str) -> list[list[str]]:
    """The cells of one table. A cell over several rows is repeated in each of them, so that a row can be read alone;
    over several columns it stands once. Beyond `MAX_CELLS` spans are ignored."""
    return _rows(html.fragment_fromstring(table, create_parent="div"))


def spell_out_spans(root: html.HtmlElement) -> None:
    """Replace cells that span rows or columns by cells that do not, as `rows_of` does: the next parser drops spans.
    Tables that hold tables are left alone; they are layout."""
    for table in list(root.iter("table")):
        spans = table.xpath("boolean(.//*[@rowspan or @colspan])")
        if not spans or next(table.iterdescendants("table"), None) is not None:
            continue
        rows = _rows(table)
        for child in list(table):
            table.remove(child)
        for row in rows:
            line = etree.SubElement(table, "tr")
            for text in row:
                etree.SubElement(line, "td").text = text


def _rows(table: html.HtmlElement) -> list[list[str]]:
    rows: list[list[str]] = []
    carried: dict[int, tuple[str, int]] = {}  # column -> text from above and for how many rows more
    cells = 0
    for tr in table.iter("tr"):
        row: list[str] = []
        for cell in tr.iterchildren("td", "th"):
            _take_carried(row, carried)
            text = " ".join(cell.text_content().split())
            columns, height = (1, 1) if cells > MAX_CELLS else (_span(cell, "colspan"), _span(cell, "rowspan"))
            if height > 1:
                carried[len(row)] = (text, height - 1)
            row += [text, *[""] * (columns - 1)]
        _take_carried(row, carried)
        cells += len(row)
        rows.append(row)
    return rows


def _take_carried(row: list[str], carried: dict[int, tuple[str, int]]) -> None:
    while len(row) in carried:
        text, left = carried.pop(len(row))
        if left > 1:
            carried[len(row)] = (text, left - 1)
        row.append(text)


def _span(cell: html.HtmlElement, name: str) -> int:
    value = cell.get(name, "1")
    return min(max(int(value), 1), MAX_SPAN) if value.isdecimal() else 1
