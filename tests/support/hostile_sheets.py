"""A thousand ways to spoil a rate sheet, drawn by number: the same number draws the same sheet.

Each sheet is the deck in force, row for row, but for what is spoilt in it.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from sheets import workbook

HEADER = ["prefix", "destination", "rate_per_min", "first_increment", "next_increment", "connect_fee"]
HEADER += ["effective_date", "end_date", "status", "currency"]
PREFIXES = ("1", "1242", "27", "33", "336", "34", "39", "44", "4420", "447", "49", "55", "61", "81", "91")
PRICES = {prefix: f"0.{100 + 17 * at:04d}" for at, prefix in enumerate(PREFIXES)}
WORSE_RATES = (
    *(
        "NaN",
        "nan",
        "1e3",
        "1E-2",
        "-0.1",
        "inf",
        "-inf",
        "1_000",
        "0x1",
        "\u0660.\u0661",
        "1,085",
        "1.085,00",
    ),
    *("", "$0.1", "0.1.2", "9" * 30, "0.123456789", "0.1 0.2", "free", "=0.1", "+0.1", ".5", "5.", "\u00bd"),
)
WORSE_PREFIXES = (
    "x",
    "4.42E+11",
    "0044",
    "44a",
    "",
    "\u0664\u0664",
    "4" * 16,
    "44,,33",
    "33-75",
    "44 20,4416",
    "=44",
    "44.0",
)
WORSE_STEPS = ("0", "-1", "1e1", "30/x", "3601", "1.5", "\u0661")
WORSE_DATES = ("03/04/2026", "2026-02-30", "soon", "13.13.2026", "0000-00-00", "04-03-2026", "2026-3-1")
WORSE_NAMES = ("", "a\0b", "a\x1b[31m", "=cmd()", "@SUM(A1)", "x" * 101, "-2+3")


@dataclass(kw_only=True)
class Hostile:
    """One sheet; `how` it is spoilt, and whether that is an error or something to be held for."""

    number: int
    how: str
    content: bytes
    is_error: bool


class _Sheet:
    """Rows to be spoilt."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.header = list(HEADER)
        self.rows = [
            [prefix, f"Zone {prefix}", PRICES[prefix], "", "", "", "", "", "open", "USD"]
            for prefix in PREFIXES
        ]
        self.lines_before = random.choice([[], ["Alphatel"], ["Rates", "", "of March"]])
        self.raw: bytes | None = None

    def spoil(self, column: str, text: str) -> None:
        self.random.choice(self.rows)[HEADER.index(column)] = text

    def encoded(self) -> bytes:
        """As some program somewhere would write it: any delimiter, line ends, encoding."""
        random = self.random
        delimiter = random.choice(",;\t|")
        ends = random.choice([["\n"], ["\r\n"], ["\n", "\r\n", "\r"]])
        encoding = random.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
        cells = [[line] + [""] * 9 for line in self.lines_before] + [self.header, *self.rows]
        lines = [
            delimiter.join(_quoted(cell, delimiter) for cell in row) + random.choice(ends) for row in cells
        ]
        return "".join(lines).encode(encoding)


def hostile(number: int) -> Hostile:
    """The sheet of that number."""
    random = Random(number)
    sheet = _Sheet(random)
    how, is_error = SPOILING[number % len(SPOILING)]
    how(sheet)
    content = sheet.encoded() if sheet.raw is None else sheet.raw
    return Hostile(number=number, how=how.__name__, content=content, is_error=is_error)


def bad_rate(sheet: _Sheet) -> None:
    sheet.spoil("rate_per_min", sheet.random.choice(WORSE_RATES))


def bad_prefix(sheet: _Sheet) -> None:
    sheet.spoil("prefix", sheet.random.choice(WORSE_PREFIXES))


def bad_increment(sheet: _Sheet) -> None:
    sheet.spoil(sheet.random.choice(["first_increment", "next_increment"]), sheet.random.choice(WORSE_STEPS))


def bad_date(sheet: _Sheet) -> None:
    sheet.spoil(sheet.random.choice(["effective_date", "end_date"]), sheet.random.choice(WORSE_DATES))


def bad_name(sheet: _Sheet) -> None:
    sheet.spoil("destination", sheet.random.choice(WORSE_NAMES))


def bad_fee(sheet: _Sheet) -> None:
    sheet.spoil("connect_fee", sheet.random.choice([rate for rate in WORSE_RATES if rate]))


def other_currency(sheet: _Sheet) -> None:
    sheet.spoil("currency", sheet.random.choice(["EUR", "usd.", "US$", "XXX"]))


def unknown_status(sheet: _Sheet) -> None:
    sheet.spoil("status", sheet.random.choice(["perhaps", "?", "openn"]))


def same_prefix_twice(sheet: _Sheet) -> None:
    row = list(sheet.random.choice(sheet.rows))
    row[2] = "0.5"
    sheet.rows.append(row)


def overlap(sheet: _Sheet) -> None:
    row = sheet.random.choice(sheet.rows)
    row[6], row[7] = "2026-04-01", "2026-06-01"
    later = list(row)
    later[6], later[7] = "2026-05-01", ""
    sheet.rows.append(later)


def ends_before_it_starts(sheet: _Sheet) -> None:
    row = sheet.random.choice(sheet.rows)
    row[6], row[7] = "2026-04-01", sheet.random.choice(["2026-04-01", "2026-03-31"])


def header_twice(sheet: _Sheet) -> None:
    sheet.header[sheet.random.choice([4, 5, 7])] = sheet.random.choice(["prefix", "rate_per_min", "Price"])


def header_without_price(sheet: _Sheet) -> None:
    sheet.header[2] = "colour"


def header_of_seconds(sheet: _Sheet) -> None:
    sheet.header[2] = "Rate per second"


def header_of_another_currency(sheet: _Sheet) -> None:
    sheet.header[2] = "Rate (EUR)"


def header_of_an_unknown_charge(sheet: _Sheet) -> None:
    sheet.header[5] = "Night discount"


def grace(sheet: _Sheet) -> None:
    sheet.header[5] = sheet.random.choice(["Grace Time", "additional_grace", "CDO", "disconnectcharge"])
    sheet.spoil("connect_fee", "5")


def a_cell_too_many(sheet: _Sheet) -> None:
    sheet.random.choice(sheet.rows).insert(1, "Zone")


def a_cell_too_few(sheet: _Sheet) -> None:
    sheet.random.choice(sheet.rows).pop()


def open_quote(sheet: _Sheet) -> None:
    rows = [",".join(row) for row in (sheet.header, *sheet.rows)]
    at = sheet.random.randrange(1, len(rows))
    rows[at] = rows[at].replace("Zone", '"Zone', 1)
    sheet.raw = ("\n".join(rows) + "\n").encode()


def nul_bytes(sheet: _Sheet) -> None:
    rows = [",".join(row) for row in (sheet.header, *sheet.rows)]
    rows[sheet.random.randrange(1, len(rows))] += "\0"
    sheet.raw = ("\n".join(rows) + "\n").encode()


def a_line_without_end(sheet: _Sheet) -> None:
    rows = [",".join(row) for row in (sheet.header, *sheet.rows)]
    rows.insert(sheet.random.randrange(1, len(rows)), "44," + "9" * 200_000)
    sheet.raw = ("\n".join(rows) + "\n").encode()


def a_million_columns(sheet: _Sheet) -> None:
    sheet.raw = b"prefix,destination,rate_per_min" + b"," * 1_000_000 + b"\n44,UK,0.1\n"


def bytes_of_no_text(sheet: _Sheet) -> None:
    sheet.raw = sheet.random.randbytes(3000)


def empty(sheet: _Sheet) -> None:
    sheet.raw = sheet.random.choice([b"", b"\n\n", b"\xef\xbb\xbf", ",".join(HEADER).encode()])


def a_formula(sheet: _Sheet) -> None:
    rows: list[list[object]] = [list(row) for row in (sheet.header, *sheet.rows)]
    at = sheet.random.randrange(1, len(rows))
    rows[at][sheet.random.choice([0, 2])] = "=1+1"
    sheet.raw = workbook(*rows)


def numbers_mangled_in_a_workbook(sheet: _Sheet) -> None:
    rows: list[list[object]] = [list(row) for row in (sheet.header, *sheet.rows)]
    rows[sheet.random.randrange(1, len(rows))][0] = sheet.random.choice([4.42e20, -44, 44.5, True])
    sheet.raw = workbook(*rows)


def a_bomb(sheet: _Sheet) -> None:
    stream = io.BytesIO()
    source = workbook(HEADER, sheet.rows[0])
    with (
        zipfile.ZipFile(io.BytesIO(source)) as good,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for part in good.infolist():
            data = good.read(part)
            if (
                part.filename == sheet.random.choice(["xl/worksheets/sheet1.xml", "xl/styles.xml"])
                or part.filename == "xl/workbook.xml"
            ):
                data += b" " * 20_000_000
            bad.writestr(part.filename, data)
    sheet.raw = stream.getvalue()


def ten_times(sheet: _Sheet) -> None:
    row = sheet.random.choice(sheet.rows)
    row[2] = row[2][2:].lstrip("0") if sheet.random.random() < 0.3 else f"{row[2]}0".replace("0.", "1.", 1)


def nothing_a_minute(sheet: _Sheet) -> None:
    sheet.spoil("rate_per_min", sheet.random.choice(["0", "0.0", "0.00000000"]))


def a_billion(sheet: _Sheet) -> None:
    sheet.spoil("rate_per_min", sheet.random.choice(["1000000000", "99", "10.0001"]))


def no_country(sheet: _Sheet) -> None:
    sheet.spoil("prefix", sheet.random.choice(["999", "210", "8099"]))


def half_a_sheet(sheet: _Sheet) -> None:
    del sheet.rows[sheet.random.randrange(3, 11) :]


def an_increase_today(sheet: _Sheet) -> None:
    row = sheet.random.choice(sheet.rows)
    row[2] = f"{row[2]}9"


def _quoted(cell: str, delimiter: str) -> str:
    return f'"{cell}"' if delimiter in cell or "\n" in cell else cell


Spoil = Callable[[_Sheet], None]
ERRORS: tuple[Spoil, ...] = (
    *(bad_rate, bad_prefix, bad_increment, bad_date, bad_name, bad_fee, other_currency, unknown_status),
    *(same_prefix_twice, overlap, ends_before_it_starts, header_twice, header_without_price),
    *(header_of_seconds, header_of_another_currency, header_of_an_unknown_charge, grace, a_cell_too_many),
    *(a_cell_too_few, open_quote, nul_bytes, a_line_without_end, a_million_columns, bytes_of_no_text, empty),
    *(a_formula, numbers_mangled_in_a_workbook, a_bomb),
)
HOLDS: tuple[Spoil, ...] = (
    ten_times,
    nothing_a_minute,
    a_billion,
    no_country,
    half_a_sheet,
    an_increase_today,
)
SPOILING = (*((each, True) for each in (*ERRORS, *ERRORS[:8])), *((each, False) for each in HOLDS))
