"""A number that is to be dialled: read as a person writes it, refused if nobody may dial it.

Reads: text, the country from which it is meant.
Gives: E164, or the end of the command with the reason: 2 for what is no number, 4 for a kind that is barred.
Knows nothing of: accounts, rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staff.exits import REFUSED, Stop

if TYPE_CHECKING:
    from values.e164 import E164


def destination_number(field: str, text: str, home_country: str | None) -> E164:
    """The number; emergency, short, premium and such numbers are refused with their reason."""
    from store import checks
    from values.e164 import Dialable, RefusalReason, dialling_refusal

    verdict = dialling_refusal(text, home_country)
    if isinstance(verdict, Dialable):
        return verdict.number
    if verdict.reason in {RefusalReason.EMERGENCY, RefusalReason.SHORT_CODE}:
        raise Stop(f"{field}: {text!r} is refused; {verdict.remedy}", REFUSED)
    # What is no number at all is told in the store's words; the rest is one of a barred kind.
    checks.number(field, text, home_country)
    raise Stop(f"{field}: {text!r} is refused; {verdict.remedy}", REFUSED)
