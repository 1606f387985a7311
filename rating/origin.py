"""The class of a caller ID at a destination: what networks surcharge by.

Reads: the caller ID that is shown, as digits, and the number dialled.
Gives: OriginClass.
Knows nothing of: what a class costs (rating/rate.py), which caller ID is chosen.

Networks in the European Economic Area ask more for calls that show a caller ID from outside it, none, or one
that cannot be: so the same call costs another price by what it shows.
"""

import re
from enum import StrEnum

from values.e164 import E164, WORLD, country_of
from values.numbering import DIGITS_MIN

SHOWN_DIGITS_MIN = 5
SHOWN_DIGITS_MAX = 15
"""A caller ID with fewer or more digits counts as none."""
# The members of the European Union (27 since 2020) with Iceland, Liechtenstein and Norway: Agreement on the
# European Economic Area. libphonenumber tells apart some territories of members; those in the Area follow.
EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EEA = frozenset(f"{EU} IS LI NO AX GF GP MF MQ RE YT".split(" "))
# No country code begins with 0.
_DIGITS = re.compile(rf"\+?[1-9][0-9]{{{SHOWN_DIGITS_MIN - 1},{SHOWN_DIGITS_MAX - 1}}}")


class OriginClass(StrEnum):
    """Where a caller ID is from, as the destination's network sees it."""

    SAME_COUNTRY = "same_country"
    EEA = "eea"
    NON_EEA = "non_eea"
    INVALID = "invalid"


def origin_class(shown: E164 | str | None, destination: E164) -> OriginClass:
    """Return the class of what is shown; absent, short, long, or of no country is INVALID."""
    country = _country(shown)
    if country == WORLD:
        return OriginClass.INVALID
    if country == country_of(destination):
        return OriginClass.SAME_COUNTRY
    return OriginClass.EEA if country in EEA else OriginClass.NON_EEA


def _country(shown: E164 | str | None) -> str:
    if isinstance(shown, E164):
        return country_of(shown)
    if shown is None or not _DIGITS.fullmatch(shown):
        return WORLD
    # Five and six digits are no E.164 number, but their country code can be read all the same.
    return country_of(E164(shown.removeprefix("+").ljust(DIGITS_MIN, "0")))
