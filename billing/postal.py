"""An address as it is printed: its lines, and the country once.

Reads: a Party.
Gives: the lines, the last of them the country unless the address names it itself.
Knows nothing of: whether such a place exists, what a country's post wants on which line.
"""

import re
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages

from billing.particulars import Party

_ALSO = {
    "GB": ("UK", "U.K.", "Great Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "US": ("USA", "U.S.A.", "United States of America"),
    "CZ": ("Czech Republic",),
}
"""What people write besides the names that the tables of languages have."""


def postal_lines(party: Party) -> tuple[str, ...]:
    """Return the lines of the address, and the country's name behind one that does not end in it."""
    if not party.country or _ends_in(party.address, party.country):
        return party.address
    return (*party.address, _names(party.country)[0])


def _ends_in(address: tuple[str, ...], country: str) -> bool:
    last = next((line for line in reversed(address) if line.strip()), "")
    told = re.sub(r"[\s.,;]+$", "", last).casefold()
    return any(
        re.search(rf"(?:^|[^\w]){re.escape(name.rstrip('.').casefold())}$", told) for name in _names(country)
    )


@cache
def _names(country: str) -> tuple[str, ...]:
    """The country in English, in its own languages, as people also write it, and its code."""
    languages = ("en", *get_official_languages(country, de_facto=True))
    told = [_territory(language, country) for language in languages]
    return tuple(dict.fromkeys([*filter(None, told), *_ALSO.get(country, ()), country]))


def _territory(language: str, country: str) -> str:
    try:
        return str(Locale.parse(language).territories.get(country, ""))
    except (UnknownLocaleError, ValueError):
        return ""
