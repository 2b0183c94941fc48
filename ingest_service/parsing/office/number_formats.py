"""Cells of an XLSX that say less as a number than on the sheet: percentages, money, units, and errors.

calamine gives 0.125 for "12,5%" and nothing for "#DIV/0!"; what the reader of the sheet sees stands in its styles.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from posixpath import join, normpath

from lxml import etree

from ingest_service.parsing.archive import member

Shown = Mapping[int, Mapping[int, str]]
"""What is shown in cells, by row and column, both from 0."""

_WORKBOOK, _RELATIONS, _STYLES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"
_BUILT_IN = {"9": "0%", "10": "0.00%"}
_ERROR = re.compile(rb"""t=["']e["']""")
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_UNSEEN = re.compile(r"\[[^\]]*\]|_.|\*.")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)')
_DIGITS = re.compile(r"[0#?][0#?,]*(?:\.([0#?]+))?")
_NO_PLAIN_NUMBER = re.compile(r"[dmyhs/@]|general|e[+-]|,$", re.IGNORECASE)
_PORTUGUESE = str.maketrans(",.", ".,")
_LARGEST_EXPONENT, _MOST_DECIMALS = 15, 10
"""Together within the 28 digits that `Decimal` counts with."""
_LONGEST_ROW_NUMBER = 7


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a number is shown, in the digits of Portuguese: `R$ 1.250,00`."""

    before: str
    after: str
    decimals: int
    grouped: bool

    def shown(self, value: Decimal) -> str:
        if "%" in self.before + self.after:
            value *= 100
        digits = abs(value).quantize(Decimal(1).scaleb(-self.decimals), rounding=ROUND_HALF_UP)
        number = (f"{digits:,f}" if self.grouped else f"{digits:f}").translate(_PORTUGUESE)
        return f"{'-' if value < 0 and digits else ''}{self.before}{number}{self.after}"


def format_of(code: str) -> NumberFormat | None:
    """The format of a code such as `"R$" #,##0.00`; None for days, times, and numbers with nothing around them."""
    section = _UNSEEN.sub("", _CURRENCY.sub(r'"\1"', code.split(";", 1)[0]))
    if _NO_PLAIN_NUMBER.search(_LITERAL.sub("", section).replace("US$", "")):
        return None
    digits = _DIGITS.search(section)
    if digits is None:
        return None
    before, after = (
        _LITERAL.sub(lambda found: found[1] or found[2] or "", part)
        for part in (section[: digits.start()], section[digits.end() :])
    )
    if not (before + after).strip():
        return None
    return NumberFormat(before.lstrip(), after.rstrip(), min(len(digits[1] or ""), _MOST_DECIMALS), "," in digits[0])


def shown_cells(package: bytes, sheet: str) -> Shown:
    """The cells of one sheet of a verified package for which the number alone is not what the sheet shows."""
    part = member(package, _parts(package).get(sheet, ""))
    formats = _formats(package)
    if not part or not (formats or _ERROR.search(part)):
        return {}
    shown: dict[int, dict[int, str]] = {}
    for row, column, text in _cells(part, formats):
        shown.setdefault(row, {})[column] = text
    return shown


def _cells(part: bytes, formats: Mapping[str, NumberFormat]) -> Iterator[tuple[int, int, str]]:
    row = -1
    for line in _elements(part, "row"):
        number = line.get("r", "")
        row = int(number) - 1 if number.isdecimal() and len(number) <= _LONGEST_ROW_NUMBER else row + 1
        column = -1
        for cell in line.iterchildren("{*}c"):
            letters = re.match("[A-Z]{1,3}", cell.get("r", ""))
            column = _column(letters[0]) if letters else column + 1
            value, style = cell.findtext("{*}v") or "", formats.get(cell.get("s", "0"))
            if cell.get("t") == "e":
                yield row, column, value
            elif style and value and cell.get("t", "n") == "n" and (amount := _amount(value)) is not None:
                yield row, column, style.shown(amount)


def _amount(value: str) -> Decimal | None:
    try:
        amount = Decimal(f"{float(value):.15g}")
    except (InvalidOperation, ValueError):
        return None
    return amount if amount.is_finite() and amount.adjusted() < _LARGEST_EXPONENT else None


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _formats(package: bytes) -> dict[str, NumberFormat]:
    """By the number under which a cell names its style."""
    codes, uses = dict(_BUILT_IN), []
    for element in _elements(member(package, _STYLES), "numFmt", "cellXfs"):
        if element.tag.endswith("numFmt"):
            codes[element.get("numFmtId", "")] = element.get("formatCode", "")
        else:
            uses = [style.get("numFmtId", "") for style in element.iterchildren("{*}xf")]
    found = ((str(number), format_of(codes.get(use, ""))) for number, use in enumerate(uses))
    return {number: style for number, style in found if style}


def _parts(package: bytes) -> dict[str, str]:
    """The part of each sheet, by the sheet's name."""
    targets = {
        relation.get("Id", ""): normpath(join("/xl", relation.get("Target", ""))).lstrip("/")
        for relation in _elements(member(package, _RELATIONS), "Relationship")
    }
    return {
        sheet.get("name", ""): targets.get(value, "")
        for sheet in _elements(member(package, _WORKBOOK), "sheet")
        for key, value in sheet.items()
        if key.endswith("}id")
    }


def _elements(part: bytes, *names: str) -> Iterator[etree._Element]:
    """The elements of these names, each forgotten after its use. What is malformed is calamine's to judge."""
    if not part:
        return
    tags = [f"{{*}}{name}" for name in names]
    for _, element in etree.iterparse(
        io.BytesIO(part), tag=tags, resolve_entities=False, no_network=True, load_dtd=False, recover=True
    ):
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
