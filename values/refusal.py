"""Why a telephone number is not dialled, and what to write instead.

Reads: nothing.
Gives: Refusal, as a value or inside NumberRefused.
Knows nothing of: how numbers are read.
"""

from dataclasses import dataclass
from enum import StrEnum


class RefusalReason(StrEnum):
    """Why a number is not dialled."""

    EMPTY = "empty"
    NOT_DIGITS = "not_digits"
    NO_HOME_COUNTRY = "no_home_country"
    UNKNOWN_COUNTRY_CODE = "unknown_country_code"
    IMPOSSIBLE_LENGTH = "impossible_length"
    NOT_A_NUMBER = "not_a_number"
    EMERGENCY = "emergency"
    SHORT_CODE = "short_code"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    SATELLITE = "satellite"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a number is not dialled, and a sentence that says what to do instead."""

    reason: RefusalReason
    remedy: str


class NumberRefused(ValueError):
    """This is not a number that can be dialled; `reason` says why and `remedy` what to write instead."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.remedy)
        self.refusal = refusal
        self.reason = refusal.reason
        self.remedy = refusal.remedy


def refusal(reason: RefusalReason) -> Refusal:
    """The refusal for that reason, with its remedy."""
    return Refusal(reason=reason, remedy=REMEDIES[reason])


_FORM = "write + and the country code, then the number without its leading zero, for example +44 20 7946 0101"
REMEDIES = {
    RefusalReason.EMPTY: f"There is no number: {_FORM}.",
    RefusalReason.NOT_DIGITS: f"Only digits, +, spaces, dots, dashes and brackets are understood: {_FORM}.",
    RefusalReason.NO_HOME_COUNTRY: f"The country is missing: {_FORM}.",
    RefusalReason.UNKNOWN_COUNTRY_CODE: f"No country has this country code: {_FORM}.",
    RefusalReason.IMPOSSIBLE_LENGTH: f"This is too long or too short for a number: {_FORM}.",
    RefusalReason.NOT_A_NUMBER: f"This is no number of your home country: {_FORM}.",
    RefusalReason.EMERGENCY: (
        "Emergency numbers are not connected: dial locally, on the telephone in your hand."
    ),
    RefusalReason.SHORT_CODE: "Short numbers are not connected: dial locally, or write the number in full.",
    RefusalReason.PREMIUM: "Premium-rate numbers are not connected; use an ordinary number instead.",
    RefusalReason.SHARED_COST: "Shared-cost numbers are not connected; use an ordinary number instead.",
    RefusalReason.SATELLITE: "Satellite numbers are not enabled for this service; ask the operator.",
    RefusalReason.GLOBAL: "Global service numbers are not enabled for this service; ask the operator.",
}
