"""Spreadsheets (XLSX, XLS, ODS) by python-calamine, this file being its only importer."""

import io
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    ZipError,
)

from ingest_service.parsing import errors
from ingest_service.parsing.archive import verified_members
from ingest_service.parsing.blocks import Block, BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.office.grid import blocks_of_grid
from ingest_service.parsing.office.number_formats import Shown, shown_cells

Cell = int | float | str | bool | time | date | datetime | timedelta


_LARGEST_EXPONENT = 21
"""Numbers with more digits than this are shown with their power of ten."""


def parse_xlsx(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """As `parse_sheets`, after the guard for archives, and with percentages, money, units and errors as shown."""
    verified_members(data, limits)
    return _parse(data, limits, partial(shown_cells, data))


def parse_ods(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """As `parse_sheets`, after the guard for archives."""
    verified_members(data, limits)
    return parse_sheets(data, limits)


def parse_sheets(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """A sheet is a page, its name a heading, its cells tables. Values are shown as Portuguese readers write them.

    Formulas give their last computed value; macros and hidden sheets are never looked at, the note counts the latter.
    Raises `ProtectedDocument`, `TooManyPages`, or `BrokenDocument`.
    """
    return _parse(data, limits, lambda _: {})


def _parse(data: bytes, limits: ParsingLimits, shown: Callable[[str], Shown]) -> ParsedDocument:
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        if len(workbook.sheet_names) > limits.max_pages:
            raise errors.too_many_pages(len(workbook.sheet_names), limits.max_pages)
        blocks = tuple(_blocks(workbook, shown))
    except PasswordError as error:
        raise errors.protected() from error
    except (CalamineError, ZipError) as error:
        raise errors.broken() from error
    hidden = sum(sheet.visible != SheetVisibleEnum.Visible for sheet in workbook.sheets_metadata)
    note = f"Hidden sheets that were left out: {hidden}." if hidden else ""
    return ParsedDocument(blocks=blocks, pages=len(workbook.sheet_names), note=note)


def _blocks(workbook: CalamineWorkbook, shown: Callable[[str], Shown]) -> Iterator[Block]:
    for page, sheet in enumerate(workbook.sheets_metadata, 1):
        if sheet.typ != SheetTypeEnum.WorkSheet or sheet.visible != SheetVisibleEnum.Visible:
            continue
        inner = list(blocks_of_grid(_rows(workbook.get_sheet_by_name(sheet.name), shown(sheet.name)), page))
        if inner:
            yield Block(kind=BlockKind.HEADING, text=sheet.name, level=1, page=page)
            yield from inner


def _rows(sheet: CalamineSheet, shown: Shown) -> Iterator[list[str]]:
    """The cells as text. One that is merged over several rows is repeated in each that has others, so that a row can
    be read alone."""
    left = sheet.start[1] if sheet.start else 0  # rows come from the first on, columns from the first that is used
    merged: dict[int, dict[int, int]] = {}  # row -> column -> last row
    for (top, column), (bottom, _) in sheet.merged_cell_ranges or ():
        if bottom > top:
            merged.setdefault(top, {})[column - left] = bottom
    carried: dict[int, tuple[str, int]] = {}  # column -> text from above and its last row
    for number, cells in enumerate(sheet.iter_rows()):
        row = [_shown(cell) for cell in cells]
        for column, text in shown.get(number, {}).items():
            if 0 <= column - left < len(row):
                row[column - left] = text
        carried = {column: (text, last) for column, (text, last) in carried.items() if last >= number}
        if carried and any(row):
            for column, (text, _) in carried.items():
                row[column] = row[column] or text
        for column, last in merged.get(number, {}).items():
            if 0 <= column < len(row):
                carried[column] = (row[column], last)
        yield row


def _shown(cell: Cell) -> str:
    match cell:
        case bool():
            return "verdadeiro" if cell else "falso"
        case float():
            # 15 digits are what a spreadsheet keeps; more would show the binary fraction (0,30000000000000004).
            text = f"{cell:.15g}"
            if "e" in text and abs(Decimal(text).adjusted()) < _LARGEST_EXPONENT:
                text = f"{Decimal(text):f}"
            return text.replace(".", ",")
        case date():
            day = f"{cell.day:02}/{cell.month:02}/{cell.year:04}"
            return f"{day} {_clock(cell.time())}" if isinstance(cell, datetime) and cell.time() != time() else day
        case time():
            return _clock(cell)
        case timedelta():
            return _duration(cell)
        case _:
            return str(cell)


def _clock(moment: time) -> str:
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")


def _duration(length: timedelta) -> str:
    """Hours and minutes, also of more than a day: `36:00`."""
    minutes, seconds = divmod(round(abs(length.total_seconds())), 60)
    sign = "-" if length < timedelta() else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
