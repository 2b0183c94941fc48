"""Spreadsheets (XLSX, XLS, ODS) by python-calamine, this file being its only importer."""

import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    ZipError,
)

from ingest_service.parsing import errors
from ingest_service.parsing.archive import verified_members
from ingest_service.parsing.blocks import Block, BlockKind, ParsedDocument, ParsingLimits
from ingest_service.parsing.office.grid import blocks_of_grid

Cell = int | float | str | bool | time | date | datetime | timedelta


def parse_packed_sheets(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """XLSX and ODS: as `parse_sheets`, after the guard for archives."""
    verified_members(data, limits)
    return parse_sheets(data, limits)


def parse_sheets(data: bytes, limits: ParsingLimits) -> ParsedDocument:
    """A sheet is a page, its name a heading, its cells tables. Values are shown as Portuguese readers write them.

    Formulas give their last computed value; macros are never looked at. Raises `ProtectedDocument`, `TooManyPages`,
    or `BrokenDocument`.
    """
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        if len(workbook.sheet_names) > limits.max_pages:
            raise errors.too_many_pages(len(workbook.sheet_names), limits.max_pages)
        blocks = tuple(_blocks(workbook))
    except PasswordError as error:
        raise errors.protected() from error
    except (CalamineError, ZipError) as error:
        raise errors.broken() from error
    return ParsedDocument(blocks=blocks, pages=len(workbook.sheet_names))


def _blocks(workbook: CalamineWorkbook) -> Iterator[Block]:
    for page, sheet in enumerate(workbook.sheets_metadata, 1):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        rows = ([_shown(cell) for cell in row] for row in workbook.get_sheet_by_name(sheet.name).iter_rows())
        inner = list(blocks_of_grid(rows, page))
        if inner:
            yield Block(kind=BlockKind.HEADING, text=sheet.name, level=1, page=page)
            yield from inner


def _shown(cell: Cell) -> str:
    match cell:
        case bool():
            return "verdadeiro" if cell else "falso"
        case float():
            # 15 digits are what a spreadsheet keeps; more would show the binary fraction (0,30000000000000004).
            return f"{cell:.15g}".replace(".", ",")
        case date():
            day = f"{cell.day:02}/{cell.month:02}/{cell.year:04}"
            return f"{day} {_clock(cell.time())}" if isinstance(cell, datetime) and cell.time() != time() else day
        case time():
            return _clock(cell)
        case _:
            return str(cell)


def _clock(moment: time) -> str:
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
