"""How single values are printed on invoices: amounts, rates, durations, times, names from outside.

Reads: single values.
Gives: text that is the same for the same value, everywhere.
Knows nothing of: invoices, layouts, languages.
"""

import re
import unicodedata
from datetime import datetime
from decimal import Decimal

from values.masked import mask
from values.money import AMOUNT_SCALE, RATE_SCALE, plain_decimal

NAME_CHARACTERS_MAX = 120
SHORT_CHARACTERS_MAX = 36
_WORD_CHARACTERS_MAX = 24
_LONG_WORD = re.compile(rf"\S{{{_WORD_CHARACTERS_MAX + 1},}}")
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
    visible = "".join(" " if unicodedata.category(char) in _HIDDEN else char for char in text)
    return " ".join(visible.split())


def name(text: str) -> str:
    """Return a name as one line that is not endless."""
    line = one_line(text)
    return line if len(line) <= NAME_CHARACTERS_MAX else line[: NAME_CHARACTERS_MAX - 1] + "…"


def short(text: str) -> str:
    """Return a name that fits into half a line."""
    line = one_line(text)
    return line if len(line) <= SHORT_CHARACTERS_MAX else line[: SHORT_CHARACTERS_MAX - 1] + "…"


def breakable(text: str) -> str:
    """Return one line with places to break in words that no column could hold."""
    return _LONG_WORD.sub(lambda word: _PIECE.sub("\\g<0>\u200b", word[0]), one_line(text))


def cell(text: str) -> str:
    """Return a CSV cell that no spreadsheet takes for a formula; plain numbers stay as they are."""
    visible = name(text)
    if visible.startswith(_FORMULA_STARTS) and not _NUMERIC.fullmatch(visible):
        return f"'{visible}"
    return visible
