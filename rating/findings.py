"""What is worth a look before a sheet comes into force.

Reads: nothing.
Gives: Finding, RowError: a row, what about it, and for errors the remedy.
Knows nothing of: how they are found (rating/deckfile.py, rating/deckmerge.py, rating/margins.py).
"""

from enum import StrEnum
from typing import NamedTuple


class FindingKind(StrEnum):
    """What a finding is about. Those that hold keep a sheet from being approved without a reason."""

    ZERO_RATE = "zero_rate"
    OVER_CEILING = "over_ceiling"
    BIG_CHANGE = "big_change"
    SHORT_NOTICE = "short_notice"
    UNKNOWN_COUNTRY = "unknown_country"
    FEWER_PREFIXES = "fewer_prefixes"
    LOST_ZERO = "lost_zero"
    LOST_TERMS = "lost_terms"
    LOSS = "loss"
    STATUS = "status"
    BLOCKS = "blocks"
    ROUNDING = "rounding"
    UNKNOWN_BAND = "unknown_band"
    LEFT_OUT = "left_out"
    UNUSED_COLUMN = "unused_column"
    ENCODING = "encoding"

    @property
    def holds(self) -> bool:
        """Whether it takes `--override REASON` to approve the sheet."""
        return self in _HOLDING


_HOLDING = frozenset(
    {
        FindingKind.ZERO_RATE,
        FindingKind.OVER_CEILING,
        FindingKind.BIG_CHANGE,
        FindingKind.SHORT_NOTICE,
        FindingKind.UNKNOWN_COUNTRY,
        FindingKind.FEWER_PREFIXES,
        FindingKind.LOST_ZERO,
    }
)


class Finding(NamedTuple):
    """Something about a row, or with row 0 about the sheet."""

    kind: FindingKind
    row: int
    prefix: str
    text: str

    def __str__(self) -> str:
        """Return the sentence for the person who imports."""
        place = f"row {self.row}: " if self.row else ""
        return f"{place}{self.text}"


class RowError(NamedTuple):
    """One cell, or one row, that cannot be used. Rows count from 1 as the file has them."""

    row: int
    column: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Return the sentence for the person who sent the file."""
        return f"row {self.row}, column {self.column}: {self.problem}: {self.remedy}"
