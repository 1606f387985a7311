"""Rows as a spreadsheet, XLSX.

Reads: dictionaries of plain values, columns in their order, a heading.
Gives: the bytes of a workbook of one sheet: amounts are numbers, times and telephone numbers are text.
Knows nothing of: what the values mean.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from billing.printed import one_line
from staff.listing import Row, plain

HEADER_ROW = 2
WIDTH_MIN = 8
WIDTH_MAX = 60
EXACT_DIGITS_MAX = 15
"""A spreadsheet calculates with so many digits; a longer amount stays text, and whole."""


def workbook(rows: Sequence[Row], columns: Sequence[str], *, heading: str, made_at: datetime) -> bytes:
    """The file's bytes. The heading stands in the first row, the names of the columns in the second."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    book.properties.creator = "Dialback"
    book.properties.created = book.properties.modified = made_at.replace(tzinfo=None)
    _text(sheet.cell(1, 1), heading)
    sheet.cell(1, 1).font = Font(bold=True)
    for place, column in enumerate(columns, 1):
        _text(sheet.cell(HEADER_ROW, place), column.replace("_", " "))
        sheet.cell(HEADER_ROW, place).font = Font(bold=True)
    for line, row in enumerate(rows, HEADER_ROW + 1):
        for place, column in enumerate(columns, 1):
            _put(sheet.cell(line, place), row[column])
    for place, column in enumerate(columns, 1):
        longest = max([len(column), *(len(str(plain(row[column]) or "")) for row in rows)])
        sheet.column_dimensions[get_column_letter(place)].width = min(max(longest, WIDTH_MIN), WIDTH_MAX) + 2
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{get_column_letter(len(columns))}{HEADER_ROW + len(rows)}"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _put(cell: Cell | MergedCell, value: object) -> None:
    match value:
        case None:
            return
        case bool():
            _text(cell, "yes" if value else "no")
        case int():
            cell.value = value
        case Decimal() if len(value.as_tuple().digits) <= EXACT_DIGITS_MAX:
            cell.value = value
            exponent = value.as_tuple().exponent
            assert isinstance(exponent, int)
            cell.number_format = f"0.{'0' * -exponent}" if exponent < 0 else "0"
        case _:
            _text(cell, str(plain(value)))


def _text(cell: Cell | MergedCell, text: str) -> None:
    """Text and nothing else: a spreadsheet would take what begins with `=` for a formula."""
    cell.value = one_line(text)
    cell.data_type = "s"
    cell.quotePrefix = True
