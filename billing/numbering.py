"""How invoices are numbered: a pattern of the operator's, gap-free within what it leaves fixed.

Reads: a pattern such as INV-{year}-{n:05}, a year, a count.
Gives: the number, and the name of the series in which it counts.
Knows nothing of: which number is next.
"""

import re

CREDIT_NOTE_NUMBER = "CN-{year}-{n:05}"
"""How credit notes are numbered where nothing else is said."""

DIGITS_MAX = 12
LENGTH_MAX = 40
_COUNT = re.compile(r"\{n(?::0?([0-9]{1,2}))?\}")
_PLAIN = re.compile(r"[A-Za-z0-9 ./_-]*")


class NumberingRefused(ValueError):
    """This is no pattern for numbers; the sentence says what is."""


def check_pattern(pattern: str) -> str:
    """Return the pattern if numbers can be made of it."""
    counts = _COUNT.findall(pattern)
    rest = _COUNT.sub("", pattern).replace("{year}", "")
    if len(counts) != 1 or not _PLAIN.fullmatch(rest) or len(pattern) > LENGTH_MAX:
        raise NumberingRefused("write letters, digits, {year} and once {n:05}, such as INV-{n:05}")
    if counts[0] and int(counts[0]) > DIGITS_MAX:
        raise NumberingRefused(f"write at most {DIGITS_MAX} digits, such as {{n:05}}")
    return pattern


def series_of(pattern: str, year: int) -> str:
    """Return the name of the series: all but the count. With {year} it begins anew each year."""
    return _COUNT.sub("{n}", pattern).replace("{year}", str(year))


def count_of(pattern: str, year: int, number: str) -> int:
    """Return which of that series the number is; 0 if it is none of it."""
    before, after = series_of(pattern, year).split("{n}")
    digits = number[len(before) : len(number) - len(after)]
    fits = number == f"{before}{digits}{after}" and digits.isascii() and digits.isdecimal()
    return int(digits) if fits else 0


def number_of(pattern: str, year: int, count: int) -> str:
    """Return the number of that count."""
    found = _COUNT.search(pattern)
    assert found is not None
    digits = int(found[1] or 0)
    return f"{pattern[: found.start()]}{count:0{digits}d}{pattern[found.end() :]}".replace(
        "{year}", str(year)
    )
