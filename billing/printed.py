"""How single values are printed on invoices: amounts, rates, durations, times, names from outside.

Reads: single values.
Gives: text that is the same for the same value, everywhere.
Knows nothing of: invoices, layouts, languages.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from values.masked import mask
from values.money import AMOUNT_SCALE, RATE_SCALE, plain_decimal

NAME_CHARACTERS_MAX = 120
SHORT_CHARACTERS_MAX = 36
CELL_WORD_MAX, LINE_WORD_MAX = 24, 40
"""How many characters without a space fit into a table's cell, and beside one another in half a page."""
_PIECE = re.compile(r"\S{8}(?=\S)")
_NUMERIC = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def amount(value: Decimal, digits: int) -> str:
    """Return an amount with exactly `digits` decimals; finer amounts are an error, never rounded here."""
    return plain_decimal(value, digits)


def amount_at_least(value: Decimal, digits: int) -> str:
    """Return an amount with `digits` decimals, or with 4 where it is finer."""
    exact = plain_decimal(value, AMOUNT_SCALE)
    kept = len(exact) - AMOUNT_SCALE + digits
    if exact[kept:].strip("0"):
        return exact
    return exact[:kept].rstrip(".")


def grouped(number: str) -> str:
    """Return a printed number with commas between its thousands: -1,234,567.8900."""
    whole, point, fraction = number.removeprefix("-").partition(".")
    return f"{'-' if number.startswith('-') else ''}{int(whole):,}{point}{fraction}"


def lacking(amounts: Sequence[str]) -> list[str]:
    """Return what each printed amount lacks at its end beside the finest of its column, as zeros.

    With so much room behind it, points stand below points.
    """
    places = [len(each) - len(each.partition(".")[0]) for each in amounts]
    finest = max(places, default=0)
    return [f".{'0' * finest}"[have:finest] for have in places]


def count(number: int, thing: str) -> str:
    """Return how many there are: 1 row, 1,200 rows."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def rate(value: Decimal) -> str:
    """Return a price per minute with its own decimals, at least 4."""
    text = plain_decimal(value, RATE_SCALE)
    return text[:-4] + text[-4:].rstrip("0")


def percent(value: Decimal) -> str:
    """Return a percentage without needless zeros: 20, 8.875."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rates(first: Decimal, following: Decimal) -> str:
    """Return one rate, or both where the following increments cost another."""
    return rate(first) if first == following else f"{rate(first)}, then {rate(following)}"


def masked_number(number: str) -> str:
    """Return a telephone number without its last four digits: enough to tell the country and the area."""
    return mask(number)


def duration(seconds: int) -> str:
    """Return seconds as HH:MM:SS; hours go on beyond 99."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def local_time(instant: datetime) -> str:
    """Return a local time with its offset from UTC: 2026-03-01 08:15:02 +01:00."""
    offset = instant.strftime("%z")
    return f"{instant:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:5]}"


def one_line(text: str) -> str:
    """Return visible text on one line: no control, format or direction characters."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(" " if unicodedata.category(char) in _HIDDEN else char for char in text)
    return " ".join(text.split())


def name(text: str) -> str:
    """Return a name as one line that is not endless."""
    line = one_line(text)
    return line if len(line) <= NAME_CHARACTERS_MAX else line[: NAME_CHARACTERS_MAX - 1] + "…"


def short(text: str) -> str:
    """Return a name that fits into half a line."""
    line = one_line(text)
    return line if len(line) <= SHORT_CHARACTERS_MAX else line[: SHORT_CHARACTERS_MAX - 1] + "…"


def breakable(text: str, word_max: int = LINE_WORD_MAX) -> str:
    """Return one line with places to break in longer words; what is short enough can be copied as it is."""
    words = (
        _PIECE.sub("\\g<0>\u200b", word) if len(word) > word_max else word for word in one_line(text).split()
    )
    return " ".join(words)


def width(text: str) -> int:
    """Return how many columns of a terminal the text takes: two for East Asian letters, none for accents."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.category(char) in {"Mn", "Me"} for char in text)


def padded(text: str, columns: int) -> str:
    """Return the text with blanks up to so many columns: after it, or before it where they are negative."""
    blanks = " " * (abs(columns) - width(text))
    return text + blanks if columns > 0 else blanks + text


def cell(text: str) -> str:
    """Return a CSV cell, whole, that no spreadsheet takes for a formula; plain numbers stay as they are."""
    visible = one_line(text)
    if visible.startswith(_FORMULA_STARTS) and not _NUMERIC.fullmatch(visible):
        return f"'{visible}"
    return visible
