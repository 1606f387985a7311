"""Rate sheets as bytes, read as `dialback deck import` reads them, without a database."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from openpyxl import Workbook

from rating.deckfile import DeckRefused, SheetLine, SheetTerms, read_sheet
from rating.findings import Finding, RowError
from rating.mapping import PLAIN, Mapping, read_mapping
from rating.raterow import RateRow
from staff.sheets import open_sheet


class Read:
    """What a sheet said."""

    def __init__(self) -> None:
        self.lines: list[SheetLine] = []
        self.errors: list[RowError] = []
        self.findings: list[Finding] = []

    @property
    def rows(self) -> list[RateRow]:
        """All rows of a deck that came out."""
        return [row for line in self.lines for row in line.rates]

    @property
    def prices(self) -> dict[str, int]:
        """10^-8 a minute by prefix, with the band in front if there is one."""
        return {f"{row.band}{':' if row.band else ''}{row.prefix}": row.per_minute for row in self.rows}


def read(
    content: bytes | str, *, kind: str = "sell", mapping: Mapping | str = PLAIN, currency: str = "USD"
) -> Read:
    """Read one file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sheet"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_path(path, kind=kind, mapping=mapping, currency=currency)


def read_path(
    path: Path, *, kind: str = "sell", mapping: Mapping | str = PLAIN, currency: str = "USD"
) -> Read:
    """Read a file or folder that is there."""
    chosen = read_mapping(mapping) if isinstance(mapping, str) else mapping
    found = Read()
    with open_sheet(path, chosen, kind) as sheet:
        found.findings += sheet.findings
        terms = SheetTerms(currency=currency, kind=kind, mapping=chosen, is_ragged=sheet.is_ragged)
        try:
            for each in read_sheet(sheet.rows, terms):
                match each:
                    case SheetLine():
                        found.lines.append(each)
                    case RowError():
                        found.errors.append(each)
                    case Finding():
                        found.findings.append(each)
        except DeckRefused as refused:
            found.errors += refused.errors
            found.lines.clear()
    return found


def workbook(*rows: list[Any], title: str = "Rates", formats: dict[str, str] | None = None) -> bytes:
    """An XLSX workbook with one sheet."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for place, form in (formats or {}).items():
        sheet[place].number_format = form
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
