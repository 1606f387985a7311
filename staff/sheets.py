"""A rate sheet on disk as rows of cells, whatever made it.

Reads: a path, `-` for standard input, or a folder with CGRateS's tariff plan files.
Gives: SheetRows with how far they are read, how their cells are meant, and a hash of the file.
Knows nothing of: what the columns mean.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from staff.exits import ERROR, Stop

if TYPE_CHECKING:
    from rating.findings import Finding
    from rating.mapping import Mapping
    from rating.sheet import SheetRow

SAMPLED_ROWS = 60
IN_MEMORY_BYTES_MAX = 1024**2


@dataclass(kw_only=True)
class OpenSheet:
    """`rows` can be read once; `done` tells how many of `size` bytes are read."""

    rows: Iterator[SheetRow]
    size: int
    stream: BinaryIO
    is_ragged: bool
    hash: str
    findings: list[Finding]

    def done(self) -> int:
        """Return how many bytes of the file are read."""
        return self.stream.tell()


@contextmanager
def open_sheet(path: Path, mapping: Mapping, kind: str) -> Iterator[OpenSheet]:
    """Open the sheet; Stop if it cannot be read at all."""
    from rating.sheet import SheetRefused

    if path.is_dir():
        yield _tariff_plan(path)
        return
    with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES_MAX) as spooled:
        if str(path) == "-":
            shutil.copyfileobj(sys.stdin.buffer, spooled)
            yield _opened(spooled, path, mapping, kind)  # type: ignore[arg-type]
        else:
            with path.open("rb") as stream:
                try:
                    yield _opened(stream, path, mapping, kind)
                except SheetRefused as refused:
                    raise Stop(f"{path}: {refused}", ERROR) from None


def _opened(stream: BinaryIO, path: Path, mapping: Mapping, kind: str) -> OpenSheet:
    from rating.findings import Finding, FindingKind
    from rating.sheet import (
        SheetRefused,
        encoding_of,
        is_workbook,
        read_cells,
        read_lines,
        refuse_other_kinds,
    )

    digest, size = _digest(stream)
    stream.seek(0)
    start = stream.read(8)
    try:
        refuse_other_kinds(start)
        if is_workbook(start):
            from rating.workbook import Workbook

            book = Workbook(stream, mapping.worksheet)
            notes = [
                Finding(
                    FindingKind.LEFT_OUT, 0, "", f"sheet {name!r} is not read: --worksheet {name!r} reads it"
                )
                for name in book.others[:20]
            ]
            return OpenSheet(
                rows=book.rows(), size=size, stream=stream, is_ragged=True, hash=digest, findings=notes
            )
    except SheetRefused as refused:
        raise Stop(f"{path}: {refused}", ERROR) from None
    encoding = encoding_of(stream)
    notes = []
    if encoding == "cp1252":
        text = "the file is not UTF-8: it is read as Windows-1252; look at the names"
        notes = [Finding(FindingKind.ENCODING, 0, "", text)]
    delimiter = _delimiter(stream, encoding, mapping, kind)
    rows = read_cells(read_lines(stream, encoding), delimiter)
    return OpenSheet(rows=rows, size=size, stream=stream, is_ragged=False, hash=digest, findings=notes)


def _delimiter(stream: BinaryIO, encoding: str, mapping: Mapping, kind: str) -> str:
    """Return the delimiter with which the most columns are known; of several, the one with most cells."""
    from rating.columns import read_header
    from rating.sheet import DELIMITERS, read_cells, read_lines

    def known(delimiter: str) -> tuple[int, int]:
        best = (0, 0)
        for row in islice(read_cells(read_lines(stream, encoding), delimiter), SAMPLED_ROWS):
            layout = read_header(row.number, row.cells, kind=kind, mapping=mapping)
            best = max(best, (len(layout.places) if layout.is_header else 0, len(row.cells)))
        return best

    return max(DELIMITERS, key=known)


def _tariff_plan(folder: Path) -> OpenSheet:
    from rating.cgrates import FILES, TariffPlanRefused, read_tariff_plan

    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        whole = f"a folder is read as CGRateS's tariff plan, {', '.join(FILES[:-1])} and {FILES[-1]}"
        told = f"{whole}; {' and '.join(missing)} is missing"
        raise Stop(f"{folder}: {told}. To import a sheet, name its file", ERROR)
    texts = {}
    digest = hashlib.sha256()
    for name in FILES:
        try:
            texts[name] = (folder / name).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise Stop(f"{folder / name}: it is not UTF-8; save it so", ERROR) from None
        digest.update(texts[name].encode())
    try:
        rows = read_tariff_plan(texts)
    except TariffPlanRefused as refused:
        raise Stop(f"{folder}: {refused}", ERROR) from None
    stream = io.BytesIO()  # nothing is in it: how far a folder is read is not shown
    return OpenSheet(
        rows=iter(rows), size=0, stream=stream, is_ragged=False, hash=digest.hexdigest(), findings=[]
    )


def _digest(stream: BinaryIO) -> tuple[str, int]:
    stream.seek(0)
    digest = hashlib.sha256()
    size = 0
    while piece := stream.read(IN_MEMORY_BYTES_MAX):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size
