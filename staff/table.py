"""A table of texts, made to fit the terminal that it is printed on.

Reads: headings, lines of cells, how many columns of characters there are, which columns may be left out.
Gives: the text, and what was left out.
Knows nothing of: what the cells mean, where they are printed.

Where there is room for all, or nobody looks (a pipe, a file), a table is as wide as it is. Else, in this
order: headings are stacked, columns with nothing in them are left out, then those that can be spared, one by
one, and long sentences are broken into lines. No cell is ever cut.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from billing.printed import lacking, padded, width

GAP = "  "
SENTENCE_WIDTH_MIN, SENTENCE_WIDTH_LAST = 24, 12
"""A sentence in a narrower column is spelt, not read; the second is for where nothing more can be spared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`lines` are as many texts each as there are headings. Names with underscores are stacked at them."""

    headings: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]

    def text(self, *, stacked: bool = False) -> str:
        """The table, its numbers to the right, point below point."""
        is_right = [
            all(_is_number(line[index]) for line in self.lines) for index in range(len(self.headings))
        ]
        columns_told = [
            _pointed(column) if right else column
            for right, column in zip(is_right, zip(*self._broken(), strict=True), strict=False)
        ]
        headings = _stacked(self.headings) if stacked else [_told(self.headings)]
        cells = [*headings, *zip(*columns_told, strict=True)]
        widths = [max(width(line[index]) for line in cells) for index in range(len(self.headings))]
        columns = [-each if right else each for each, right in zip(widths, is_right, strict=True)]
        return "\n".join(GAP.join(map(padded, line, columns)).rstrip() for line in cells)

    def without(self, names: Sequence[str]) -> "Table":
        """The table without these columns."""
        kept = [index for index, name in enumerate(self.headings) if name not in names]
        return Table(
            headings=tuple(self.headings[index] for index in kept),
            lines=tuple(tuple(line[index] for index in kept) for line in self.lines),
        )

    def blank(self) -> list[str]:
        """The columns in which nothing stands, but for the first: it is what the others are about."""
        return [
            name
            for index, name in enumerate(self.headings)
            if index and not any(line[index] for line in self.lines)
        ]

    def broken(self, room: int, least: int = SENTENCE_WIDTH_MIN) -> "Table | None":
        """The table with its longest sentences broken so that it fits; None if that leaves them no room."""
        widest = max(range(len(self.headings)), key=self._sentence_width)
        left = room - (_width(self.text(stacked=True)) - self._sentence_width(widest))
        if not self._sentence_width(widest) or left < least:
            return None
        return Table(
            headings=self.headings,
            lines=tuple(
                tuple(
                    "\n".join(textwrap.wrap(cell, left, break_on_hyphens=False)) if index == widest else cell
                    for index, cell in enumerate(line)
                )
                for line in self.lines
            ),
        )

    def _sentence_width(self, index: int) -> int:
        """How wide the column is, if it holds sentences; else 0."""
        cells = [line[index] for line in self.lines]
        return max(map(width, cells)) if any(cell.count(" ") > 1 for cell in cells) else 0

    def _broken(self) -> Iterator[Sequence[str]]:
        for line in self.lines:
            pieces = [cell.split("\n") for cell in line]
            for row in range(max(map(len, pieces))):
                yield [piece[row] if row < len(piece) else "" for piece in pieces]


def fitted(table: Table, room: int, spare: Sequence[str]) -> tuple[str, list[str]]:
    """The table's text in that room, as well as can be; and the columns that were left out.

    `spare` are those that may be, the most dispensable first.
    """
    if _width(table.text()) <= room:
        return table.text(), []
    tried, left_out = table, list[str]()
    for blank, name in ([], ""), (table.blank(), ""), *(([], name) for name in spare):
        tried = tried.without([*blank, name])
        left_out += [name] if name and name not in table.blank() else []
        if _width(tried.text(stacked=True)) <= room:
            break
        if (broken := tried.broken(room)) is not None:
            tried = broken
            break
    else:
        tried = tried.broken(room, SENTENCE_WIDTH_LAST) or tried
    return tried.text(stacked=True), left_out


def _width(text: str) -> int:
    return max(map(width, text.split("\n")))


def _told(headings: Sequence[str]) -> list[str]:
    return [name.replace("_", " ") for name in headings]


def _stacked(headings: Sequence[str]) -> list[list[str]]:
    """The headings' words one below the other, the last ones on the last line."""
    words = [name.split("_") for name in headings]
    most = max(map(len, words))
    padded_words = [[""] * (most - len(each)) + each for each in words]
    return [[each[row] for each in padded_words] for row in range(most)]


def _pointed(column: Sequence[str]) -> Sequence[str]:
    """Numbers with as many blanks behind each as bring its point below those of the others."""
    return [f"{cell}{' ' * len(room)}" for cell, room in zip(column, lacking(column), strict=True)]


def _is_number(text: str) -> bool:
    return not text or (text.lstrip("-").replace(".", "", 1).isdecimal() and not text.startswith("+"))
