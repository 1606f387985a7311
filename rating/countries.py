"""Which country a prefix belongs to.

Reads: digits; libphonenumber's tables.
Gives: the country calling code, and the country, as text; "" where there is none.
Knows nothing of: decks.

Several countries may share a calling code (+1, +7, +44 …); they are told apart by their leading digits.
"""

import re
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata

CODE_DIGITS_MAX = 3


def country_code(prefix: str) -> str:
    """Return the calling code that a prefix begins with."""
    for length in range(1, CODE_DIGITS_MAX + 1):
        if prefix[:length].isdecimal() and int(prefix[:length]) in COUNTRY_CODE_TO_REGION_CODE:
            return prefix[:length]
    return ""


def country(prefix: str) -> str:
    """Return the country of a prefix, 001 for a code of none; of a shared code, the main one if in doubt."""
    code = country_code(prefix)
    if not code:
        return ""
    rest = prefix[len(code) :]
    main, *others = COUNTRY_CODE_TO_REGION_CODE[int(code)]
    return next((region for region in others if _leading_digits(region).match(rest)), main)


@lru_cache(maxsize=512)
def _leading_digits(region: str) -> re.Pattern[str]:
    metadata = PhoneMetadata.metadata_for_region(region)
    # Nothing begins with "x": a country without leading digits in the data cannot be told from its main one.
    return re.compile(metadata.leading_digits if metadata and metadata.leading_digits else "x")
