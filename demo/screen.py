"""Where the demo writes: plain text, a line at a time, with colours where there is a terminal to show them.

Reads: a stream, how wide it is.
Gives: headings, command lines, columns. A colour never says anything that a word beside it does not say.
Knows nothing of: calls, money.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Sequence
from typing import TextIO

WIDTH_MIN, WIDTH_PLAIN = 80, 120
BOLD, DIM, GREEN, RED, CYAN = "1", "2", "32", "31", "36"


class Screen:
    """Writes to one stream, each line at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        is_terminal = stream.isatty()
        self._coloured = is_terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        columns = shutil.get_terminal_size((WIDTH_PLAIN, 24)).columns if is_terminal else WIDTH_PLAIN
        self._width = max(columns, WIDTH_MIN)

    def line(self, text: str = "", colour: str = "") -> None:
        """Write one line."""
        print(self._painted(text, colour), file=self._stream, flush=True)

    def heading(self, text: str) -> None:
        """Begin a part."""
        self.line()
        self.line(text, BOLD)
        self.line("-" * len(text), BOLD)

    def said(self, text: str) -> None:
        """Write a paragraph, wrapped."""
        for line in textwrap.wrap(text, self._width - 2, break_on_hyphens=False, break_long_words=False):
            self.line(f"  {line}")

    def command(self, words: str) -> None:
        """Write a command line as a shell would show it."""
        self.line(f"  $ {words}", CYAN)

    def output(self, text: str) -> None:
        """Write what a command printed, all of it."""
        for line in text.splitlines():
            self.line(f"  {line}".rstrip())

    def output_in_brief(self, text: str) -> None:
        """Write what a command printed, in one line that is cut where the screen ends."""
        parts = filter(None, (" ".join(line.split()) for line in text.splitlines()))
        brief = textwrap.shorten(" | ".join(parts), self._width - 4, placeholder=" ...")
        self.line(f"    {brief}", DIM)

    def happened(self, when: str, who: str, what: str, *, is_phone: bool) -> None:
        """Write one step of a call, wrapped below its own column."""
        before = f"  {when:>9}  {who:<14}  "
        lines = textwrap.wrap(what, self._width - len(before), break_on_hyphens=False, break_long_words=False)
        for index, text in enumerate(lines or [""]):
            self.line((before if index == 0 else " " * len(before)) + text, GREEN if is_phone else "")

    def table(self, rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
        """Write rows in columns, the first one as their heading; `right` are the columns set to the right."""
        widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
        for number, row in enumerate(rows):
            cells = (
                text.rjust(width) if index in right else text.ljust(width)
                for index, (text, width) in enumerate(zip(row, widths, strict=True))
            )
            self.line("  " + "  ".join(cells).rstrip(), BOLD if number == 0 else "")

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if colour and self._coloured and text else text
