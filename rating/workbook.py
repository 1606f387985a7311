"""Rows of cells out of an XLSX workbook, each number exactly as the workbook stores it.

Reads: a binary stream (openpyxl opens the package: sheets, texts, formats).
Gives: SheetRows, as rating/sheet.py does for CSV: numbers as their decimal text, dates as ISO text; a formula
is a Fault that names its cell.
Knows nothing of: what the columns mean.

openpyxl makes a float of every number, so the cells are read here, from the sheet's own XML, by a parser that
keeps one row. A spreadsheet keeps 15 significant digits and writes noise after them (0.085 is stored as
8.5000000000000006E-2): the 15 are taken. A compressed file may be a bomb: its parts have limits.
"""

import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context
from typing import IO, Any, BinaryIO
from xml.parsers import expat

from openpyxl import load_workbook
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

from rating.sheet import BYTES_AT_ONCE, COLUMNS_MAX, LINE_CHARACTERS_MAX, Fault, SheetRefused, SheetRow

PART_BYTES_MAX = 2 * 1024**3
"""A million rows of ten cells are about 500 MB of XML."""
TEXTS_BYTES_MAX = 256 * 1024**2
OTHER_BYTES_MAX = 16 * 1024**2
RATIO_MAX = 200
"""Sheets shrink to a tenth, very monotonous ones to a fiftieth; a bomb shrinks to a thousandth."""
RATIO_COUNTS_FROM = 10 * 1024**2
PARTS_MAX = 2_000
DIGITS_KEPT = 15
CONTENT_TYPES = "[Content_Types].xml"
"""Every workbook has this part."""

_EXACT = Context(prec=DIGITS_KEPT, rounding=ROUND_HALF_UP)
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[Ee][+-]?[0-9]{1,3})?")
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
# Day 0 of each date system; 1900 was no leap year, but serial 60 says it was, so days count from one earlier.
_EPOCHS = {False: date(1899, 12, 30), True: date(1904, 1, 1)}


class Workbook:
    """An opened workbook; `sheet` is the chosen one."""

    def __init__(self, stream: BinaryIO, sheet: str = "") -> None:
        """Choose the sheet by its name, the first if none is given; SheetRefused if that cannot be."""
        try:
            archive = zipfile.ZipFile(stream)
            if CONTENT_TYPES not in archive.namelist():
                raise SheetRefused("this is a ZIP archive and no workbook: unpack it first")
            _refuse_bombs(archive)
            # Typed as Any: which part a sheet is, and the texts, are no public part of openpyxl.
            book: Any = load_workbook(stream, read_only=True, keep_links=False)
        except SheetRefused:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a stranger's file, openpyxl raises it raw
            raise SheetRefused(f"this is no sound .xlsx workbook ({_brief(error)}): save it anew") from None
        names = [each.title for each in book.worksheets]
        if sheet and sheet not in names:
            raise SheetRefused(f"it has no sheet {sheet!r}: choose one of {', '.join(names)[:200]}")
        if not names:
            raise SheetRefused("it has no sheet: save it anew")
        self.sheet = sheet or names[0]
        self.others = tuple(name for name in names if name != self.sheet)
        chosen = book[self.sheet]
        self._texts: list[str] = chosen._shared_strings  # noqa: SLF001 - see above
        self._part: str = chosen._worksheet_path  # noqa: SLF001 - see above
        self._archive = archive
        self._dates = _date_styles(archive)
        self._epoch = _EPOCHS[book.epoch.year == 1904]
        self.bytes = archive.getinfo(self._part).file_size

    def rows(self) -> Iterator[SheetRow]:
        """Yield the rows that hold anything."""
        reader = _SheetParser(self._texts, self._dates, self._epoch)
        with self._archive.open(self._part) as part:
            yield from reader.rows(part)


class _SheetParser:
    """The XML of one sheet, pushed through expat piece by piece; only the row at hand is kept."""

    def __init__(self, texts: list[str], dates: frozenset[int], epoch: date) -> None:
        self._texts = texts
        self._dates = dates
        self._epoch = epoch
        self._done: list[SheetRow] = []
        self._row = 0
        self._cells: list[str] = []
        self._faults: list[Fault] = []
        self._column = 0
        self._kind = ""
        self._style = 0
        self._text: list[str] | None = None
        self._length = 0
        self._value = ""
        self._formula = False
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.buffer_text = True
        self._parser = parser

    def rows(self, part: IO[bytes]) -> Iterator[SheetRow]:
        try:
            while piece := part.read(BYTES_AT_ONCE):
                self._parser.Parse(piece, False)  # noqa: FBT003 - expat's own signature
                yield from self._done
                self._done.clear()
            self._parser.Parse(b"", True)  # noqa: FBT003 - ditto
        except (expat.ExpatError, zipfile.BadZipFile, OSError) as error:
            remedy = "save the workbook anew"
            self._done.append(SheetRow(self._row + 1, [], (Fault(-1, f"broken XML ({error})", remedy),)))
        yield from self._done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                number = attributes.get("r", "")
                self._row = int(number) if number.isdecimal() and len(number) < 9 else self._row + 1
                self._cells, self._faults, self._column = [], [], 0
            case "c":
                place = _CELL.fullmatch(attributes.get("r", ""))
                self._column = _column_number(place[1]) if place else self._column + 1
                self._kind = attributes.get("t", "n")
                style = attributes.get("s", "0")
                self._style = int(style) if style.isdecimal() and len(style) < 9 else 0
                self._value, self._formula = "", False
            case "v" | "t":
                self._text, self._length = [], 0
            case "f":
                self._formula = True

    def _data(self, text: str) -> None:
        if self._text is not None and self._length <= LINE_CHARACTERS_MAX:
            self._text.append(text)
            self._length += len(text)

    def _end(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "v" | "t" if self._text is not None:
                self._value += "".join(self._text)
                self._text = None
            case "c":
                self._cell()
            case "row" if any(self._cells) or self._faults:
                self._done.append(SheetRow(self._row, self._cells, tuple(self._faults)))
                self._cells = []

    def _cell(self) -> None:
        column = self._column - 1
        if not (self._value or self._formula):
            return
        if column >= COLUMNS_MAX:
            if not self._faults or self._faults[-1].column != -1:
                self._faults.append(Fault(-1, f"over {COLUMNS_MAX} columns", f"send at most {COLUMNS_MAX}"))
            return
        self._cells.extend([""] * (column + 1 - len(self._cells)))
        text = ""
        if self._formula:
            place = f"cell {_letters(self._column)}{self._row}"
            remedy = "paste the values only; what it gave here may be another thing tomorrow"
            self._faults.append(Fault(column, f"{place} is a formula", remedy))
        else:
            text = self._meant(column)
        self._cells[column] = text

    def _meant(self, column: int) -> str:
        value = self._value
        match self._kind:
            case "s":
                if value.isdecimal() and len(value) < 9 and int(value) < len(self._texts):
                    return " ".join(self._texts[int(value)].split())
            case "str" | "inlineStr":
                return " ".join(value.split())
            case "b":
                return "true" if value == "1" else "false"
            case "d":
                return value.strip()
            case "n" if _NUMBER.fullmatch(value):
                return self._number(value, column)
        problem = f"cell {_letters(self._column)}{self._row} holds {value[:20]!r}"
        self._faults.append(Fault(column, problem, "write a number, a date or text"))
        return ""

    def _number(self, text: str, column: int) -> str:
        exact = _EXACT.create_decimal(text)
        if self._style in self._dates:
            seconds = exact * 86400
            if 0 < seconds < 86400 * 3_000_000:
                return _iso(self._epoch, int(seconds.to_integral_value(ROUND_HALF_UP)))
            self._faults.append(Fault(column, f"{text[:20]} is no date", "write a date after 1900"))
            return ""
        plain = f"{exact:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _iso(epoch: date, seconds: int) -> str:
    moment = datetime(epoch.year, epoch.month, epoch.day, tzinfo=UTC) + timedelta(seconds=seconds)
    plain = moment.replace(tzinfo=None)
    return plain.date().isoformat() if seconds % 86400 == 0 else plain.isoformat()


def _refuse_bombs(archive: zipfile.ZipFile) -> None:
    """Refuse by the directory what is too large unpacked; zipfile reads no more of a part than that says."""
    parts = archive.infolist()
    if len(parts) > PARTS_MAX:
        raise SheetRefused(f"it has {len(parts)} parts: send the sheet alone, or as CSV")
    for part in parts:
        if part.filename.startswith("xl/worksheets/"):
            limit = PART_BYTES_MAX
        else:
            limit = TEXTS_BYTES_MAX if part.filename.endswith("sharedStrings.xml") else OTHER_BYTES_MAX
        ratio = part.file_size // max(1, part.compress_size)
        if part.file_size > limit or (ratio > RATIO_MAX and part.file_size > RATIO_COUNTS_FROM):
            size = part.file_size // 1024**2
            raise SheetRefused(f"{part.filename[:60]} would unpack to {size} MB: send the sheet as CSV")
        if part.flag_bits & 1:
            raise SheetRefused("it is encrypted: save it without a password")


def _date_styles(archive: zipfile.ZipFile) -> frozenset[int]:
    """Return the numbers of the cell styles that show dates."""
    if "xl/styles.xml" not in archive.namelist():
        return frozenset()
    formats = dict(BUILTIN_FORMATS)
    styles: list[int] = []
    inside: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        plain = name.rpartition(":")[2]
        if plain == "numFmt" and attributes.get("numFmtId", "").isdecimal():
            formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif plain == "xf" and inside and inside[-1] == "cellXfs":
            number = attributes.get("numFmtId", "0")
            styles.append(int(number) if number.isdecimal() else 0)
        inside.append(plain)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: inside.pop()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(archive.read("xl/styles.xml"), True)  # noqa: FBT003 - expat's own signature
    return frozenset(at for at, number in enumerate(styles) if is_date_format(formats.get(number)))


def _refuse_doctype(*_: object) -> None:
    raise SheetRefused("its XML declares entities, which no spreadsheet does: save it anew")


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _letters(number: int) -> str:
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
