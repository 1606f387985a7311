"""Old telephone numbers, of which the last digits are gone.

Reads: numbers as our tables have them.
Gives: the masked text, and MaskedNumber, which stands where a number stood and can be dialled by nobody.
Knows nothing of: when a number is old.
"""

import re

from values.e164 import E164

MASKED_DIGITS = 4
"""Without so many a number still tells country, network or town, and nobody whose it was."""
MASK = "*"
_MASKED = re.compile(rf"[0-9]*{re.escape(MASK)}+")
_NUMBER = re.compile(r"(?<![0-9A-Za-z*])\+?[0-9]{7,15}(?![0-9A-Za-z*])")


class MaskedNumber(E164):
    """What is left of a number. It has no whole digits, so nothing that dials or looks up takes it."""

    def __post_init__(self) -> None:
        """Take digits that end in stars, and nothing else."""
        if not _MASKED.fullmatch(self.digits):
            raise ValueError("no masked number")

    @property
    def likely(self) -> E164:
        """A number of the same beginning, to ask for its country only."""
        return E164(self.digits.replace(MASK, "0"))


def mask(number: str) -> str:
    """Return a telephone number without its last four digits; one that is masked already stays so."""
    kept = max(len(number) - MASKED_DIGITS, 0)
    return number[:kept] + MASK * (len(number) - kept)


def mask_all(text: str) -> str:
    """Return the text with every number in it masked: whatever has 7 to 15 digits in a row."""
    return _NUMBER.sub(lambda found: mask(found[0]), text)


def stored_number(text: str) -> E164:
    """Return the number of a column, masked or whole."""
    return MaskedNumber(text.removeprefix("+")) if text.endswith(MASK) else E164.parse(text)
