"""Rows of cells out of a CSV file of any make, a line at a time.

Reads: a binary stream: UTF-8, UTF-16, UTF-32 or Windows-1252; LF, CR LF or CR; `,` `;` tab or `|`.
Gives: SheetRows with the number of their line; what no row can be made of is a row with a Fault.
Knows nothing of: what the columns mean (rating/columns.py), what a price is (rating/cells.py).

Nothing but the line at hand is kept: a line without end is skipped in pieces, and named.
"""

import codecs
import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

LINE_CHARACTERS_MAX = 20_000
"""A row is some hundred characters; a line without end must not fill the memory with one cell."""
COLUMNS_MAX = 500
LINES_IN_A_ROW_MAX = 20
"""A quoted cell may hold line ends, as headers often do; one that never closes must not eat the file."""
DELIMITERS = ",;\t|"
BYTES_AT_ONCE = 64 * 1024
SAMPLE_BYTES = 64 * 1024

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class SheetRefused(ValueError):
    """The file is no sheet that can be read safely: what is wrong, and what to send instead."""


def is_workbook(start: bytes) -> bool:
    """Whether a file that begins so is a ZIP archive, as XLSX is."""
    return start.startswith(b"PK\x03\x04")


def refuse_other_kinds(start: bytes) -> None:
    """Refuse files of other programs by their first bytes."""
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise SheetRefused("this is an old .xls workbook: save it as .xlsx or CSV")
    if start.startswith(b"\x1f\x8b"):
        raise SheetRefused("this is packed by gzip: unpack it first")
    if start.startswith(b"%PDF"):
        raise SheetRefused("this is a PDF: ask for the sheet as .xlsx or CSV")


class Fault(NamedTuple):
    """Why a cell, or with column -1 the whole row, cannot be read, and what to do about it."""

    column: int
    problem: str
    remedy: str


class SheetRow(NamedTuple):
    """One row. `number` counts lines (CSV) or rows (workbooks) from 1."""

    number: int
    cells: list[str]
    faults: tuple[Fault, ...] = ()


def encoding_of(stream: BinaryIO) -> str:
    """Return the encoding of a stream that can be rewound: by its mark, its zeros, or its whole content."""
    stream.seek(0)
    sample = stream.read(SAMPLE_BYTES)
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    # ASCII in UTF-16 has a zero in every second byte, and no other text has zeros.
    if len(sample) > 1 and sample.count(0) * 3 > len(sample):
        return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
    return "utf-8" if _is_utf8(stream) else "cp1252"


def read_lines(stream: BinaryIO, encoding: str) -> Iterator[tuple[int, str | None]]:
    """Yield each line with its number, without its end; None stands for one that is too long."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    number = 1
    rest = ""
    too_long = False
    while True:
        piece = stream.read(BYTES_AT_ONCE)
        # A CR at the very end may be half of CR LF: wait for what follows.
        text = rest + decoder.decode(piece, final=not piece)
        held = "\r" if piece and text.endswith("\r") else ""
        whole = text[: len(text) - len(held)]
        lines = whole.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest = lines.pop()
        for line in lines:
            yield number, None if too_long or len(line) > LINE_CHARACTERS_MAX else line
            too_long = False
            number += 1
        if len(rest) > LINE_CHARACTERS_MAX:
            too_long, rest = True, ""
        rest += held
        if not piece:
            break
    if rest or too_long:
        yield number, None if too_long else rest


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, str | None]]:
    """Yield lines of text that are there already as read_lines does."""
    for number, line in enumerate(lines, start=1):
        text = (line.removeprefix("\ufeff") if number == 1 else line).rstrip("\r\n")
        yield number, None if len(text) > LINE_CHARACTERS_MAX else text


def read_cells(lines: Iterable[tuple[int, str | None]], delimiter: str) -> Iterator[SheetRow]:
    """Yield the rows of a CSV file; empty lines are left out."""
    source = _PushBack(lines)
    blank = f" \t{delimiter}"
    while (line := source.next()) is not None:
        number, text = line
        if text is None:
            yield _spoilt(number, f"longer than {LINE_CHARACTERS_MAX} characters", "write one row on a line")
        elif not text.strip(blank):
            continue
        elif "\0" in text or "\r" in text:
            yield _spoilt(number, "a control character", "remove it; end lines with LF or CR LF")
        elif '"' in text:
            yield _quoted(number, text, source, delimiter)
        else:
            yield _row(number, [cell.strip(" ") for cell in text.split(delimiter)])


def _quoted(number: int, text: str, source: "_PushBack", delimiter: str) -> SheetRow:
    """Return the row of a line with quotes, and of the lines after it if a quoted cell goes on there."""
    taken: list[tuple[int, str]] = []
    whole = text
    while True:
        try:
            cells = next(csv.reader([whole], delimiter=delimiter, strict=True))
            return _row(number, [" ".join(cell.split()) if taken else cell.strip(" ") for cell in cells])
        except csv.Error as error:
            # Only a quote that is still open may be closed further down.
            more = (
                source.next() if "unexpected end" in str(error) and len(taken) < LINES_IN_A_ROW_MAX else None
            )
            if more is None or more[1] is None or len(whole) > LINE_CHARACTERS_MAX:
                if more is not None:
                    source.back([more])
                source.back(taken)
                remedy = "double the quotes inside a quoted cell and close it on its line"
                return _spoilt(number, f"not CSV ({error})", remedy)
            taken.append((more[0], more[1]))
            whole = f"{whole}\n{more[1]}"


def _row(number: int, cells: list[str]) -> SheetRow:
    if len(cells) > COLUMNS_MAX:
        return _spoilt(number, f"{len(cells)} columns", f"send at most {COLUMNS_MAX}")
    return SheetRow(number, cells)


def _spoilt(number: int, problem: str, remedy: str) -> SheetRow:
    return SheetRow(number, [], (Fault(-1, problem, remedy),))


class _PushBack:
    """Lines that can be given back."""

    def __init__(self, lines: Iterable[tuple[int, str | None]]) -> None:
        self._lines = iter(lines)
        self._back: deque[tuple[int, str | None]] = deque()

    def next(self) -> tuple[int, str | None] | None:
        """Return the next line; None at the end."""
        return self._back.popleft() if self._back else next(self._lines, None)

    def back(self, lines: Iterable[tuple[int, str | None]]) -> None:
        """Put lines in front of those to come."""
        self._back.extendleft(reversed(list(lines)))


def _is_utf8(stream: BinaryIO) -> bool:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := stream.read(BYTES_AT_ONCE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
