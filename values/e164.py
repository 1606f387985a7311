"""Telephone numbers: what a person writes or keys becomes `+` and 7 to 15 ASCII digits, or a refusal.

Reads: text, a home country (how national numbers are meant) and perhaps the ingress country (whose
international prefix the network in front of us uses); both as ISO 3166 two-letter codes.
Gives: E164, or NumberRefused with a Refusal: the reason and what to write instead.
Knows nothing of: prompts, rates, routes, which numbers are our own.

Nothing here returns what it was given: a number is read by libphonenumber, written anew as E.164 and looked
at once more, digit by digit, before it leaves.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberType, ValidationResult, shortnumberinfo

from values import numbering
from values.readings import (
    ASCII_DIGITS,
    Reading,
    after_international_prefix,
    checked_country,
    dialled_digits,
    known_country,
    readings,
)
from values.refusal import NumberRefused, Refusal, RefusalReason, refusal

__all__ = [
    "E164",
    "WORLD",
    "Dialable",
    "NumberKind",
    "NumberRefused",
    "Refusal",
    "RefusalReason",
    "countries",
    "country_code_of",
    "country_of",
    "dialling_refusal",
    "kind_of",
    "names_its_country",
    "normalise",
]

WORLD = "001"
NUMBERS_KEPT = 4_096
"""Of so many numbers the country is remembered: one call asks for the same few a dozen times."""


class NumberKind(StrEnum):
    """What kind of line a number belongs to, as far as its numbering plan tells."""

    FIXED = "fixed"
    MOBILE = "mobile"
    FIXED_OR_MOBILE = "fixed_or_mobile"
    VOIP = "voip"
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    PERSONAL = "personal"
    PAGER = "pager"
    COMPANY = "company"
    VOICEMAIL = "voicemail"
    SATELLITE = "satellite"
    GLOBAL = "global"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialable:
    """It may be dialled. False as a condition: `if refusal := dialling_refusal(…)` reads as it says."""

    number: "E164"

    def __bool__(self) -> Literal[False]:
        """Nothing is refused."""
        return False


@dataclass(frozen=True, slots=True, order=True)
class E164:
    """A telephone number: surely 7 to 15 ASCII digits, country code first. str() puts the `+` in front."""

    digits: str

    def __post_init__(self) -> None:
        if not _is_e164(self.digits):
            raise NumberRefused(refusal(RefusalReason.IMPOSSIBLE_LENGTH))

    def __str__(self) -> str:
        return f"+{self.digits}"

    @classmethod
    def parse(cls, text: str) -> "E164":
        """The number in exactly the form that str() writes; anything else raises NumberRefused.

        For what comes from our own tables. People's spelling goes through normalise().
        """
        if not text.startswith("+"):
            raise NumberRefused(refusal(RefusalReason.NO_HOME_COUNTRY))
        return cls(text[1:])


def normalise(text: str, *, home_country: str | None, ingress_country: str | None = None) -> E164:
    """The number that this text means to someone from `home_country`; NumberRefused if none.

    Emergency and short codes are decided first: "112" would otherwise be read as +44 112. `home_country`
    may be None or empty: then only international forms are understood. ValueError for a code that is no
    country.
    """
    home = checked_country(home_country)
    ingress = checked_country(ingress_country) or home
    dialled = dialled_digits(text)
    _refuse_short(dialled.digits, home=home, plus=dialled.plus)
    first_refusal: Refusal | None = None
    possible: list[_Read] = []
    for reading in readings(dialled, home=home, ingress=ingress):
        outcome = _read(reading)
        if isinstance(outcome, Refusal):
            first_refusal = first_refusal or outcome
        elif outcome.is_valid:
            return outcome.number
        else:
            possible.append(outcome)
    if len({read.number for read in possible if read.is_international}) > 1:
        # Singapore: 0044… is prefix 00 or 004. Of two numbers that nobody is known to have, neither is
        # guessed.
        raise NumberRefused(refusal(RefusalReason.NOT_A_NUMBER))
    if possible:
        return possible[0].number
    raise NumberRefused(first_refusal or _form_refusal(home))


@lru_cache(maxsize=NUMBERS_KEPT)
def country_of(number: E164) -> str:
    """The country as ISO 3166 code, `001` for a number that belongs to no country.

    Where a code is shared and the number fits none of its countries the code's main country answers (+1: US).
    """
    parsed = _parsed(number)
    region = phonenumbers.region_code_for_number(parsed)
    if region is None:
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return region if region in phonenumbers.SUPPORTED_REGIONS else WORLD


def kind_of(number: E164) -> NumberKind:
    """The kind of line. Our own code table decides before the library's number types."""
    if number.digits.startswith(numbering.SATELLITE_CODES):
        return NumberKind.SATELLITE
    if number.digits.startswith(numbering.GLOBAL_CODES):
        return NumberKind.GLOBAL
    if number.digits.startswith(numbering.PREMIUM_PREFIXES):
        return NumberKind.PREMIUM
    return _KINDS.get(phonenumbers.number_type(_parsed(number)), NumberKind.UNKNOWN)


def dialling_refusal(
    text_or_number: str | E164,
    home_country: str | None = None,
    *,
    enabled: frozenset[NumberKind] = frozenset(),
) -> Refusal | Dialable:
    """Why this must not be dialled, or Dialable with the number.

    `enabled` lifts the bar for kinds that an operator sells (satellite, say). Nothing lifts it for
    emergency and short codes. Own DIDs and blocked rates are the caller's to check.
    """
    try:
        # A number of ours is read anew as well: what is dialled is always the re-formatted form.
        number = normalise(str(text_or_number), home_country=home_country)
    except NumberRefused as refused:
        return refused.refusal
    kind = kind_of(number)
    if kind in _BARRED and kind not in enabled:
        return refusal(_BARRED[kind])
    return Dialable(number=number)


def names_its_country(text: str, *, home_country: str | None, ingress_country: str | None = None) -> bool:
    """Whether the text says its country code: a `+`, or the international prefix 00, or home's or ingress's.

    If not, the country was inferred, and a person is told which one before it is dialled.
    """
    try:
        dialled = dialled_digits(text)
    except NumberRefused:
        return False
    if dialled.plus or dialled.digits.startswith("00"):
        return True
    near = (checked_country(home_country), checked_country(ingress_country))
    return any(after_international_prefix(dialled.digits, country) for country in near if country is not None)


def countries() -> tuple[str, ...]:
    """All countries whose numbers are understood, as ISO 3166 codes, in order."""
    return tuple(sorted(phonenumbers.SUPPORTED_REGIONS))


def country_code_of(country: str) -> int:
    """The country code of an ISO 3166 country, 44 for GB; ValueError for a code that is no country."""
    return phonenumbers.country_code_for_valid_region(known_country(country))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A reading that is a number. A valid one is in use, as far as the numbering plan is known."""

    number: E164
    is_valid: bool
    is_international: bool


def _refuse_short(digits: str, *, home: str | None, plus: bool) -> None:
    if digits in numbering.EMERGENCY_NUMBERS:
        raise NumberRefused(refusal(RefusalReason.EMERGENCY))
    if home is None or plus:
        return
    if shortnumberinfo.is_emergency_number(digits, home):
        raise NumberRefused(refusal(RefusalReason.EMERGENCY))
    # What begins with 00 was meant for abroad and is cut short: its own refusal helps more.
    is_short = len(digits) < numbering.DIGITS_MIN and not digits.startswith("00")
    if is_short and _is_short_code(digits, home):
        raise NumberRefused(refusal(RefusalReason.SHORT_CODE))


def _is_short_code(digits: str, home: str) -> bool:
    """Whether so few digits are a short code at home, or at least no number there (Niue has four digits)."""
    try:
        parsed = phonenumbers.parse(digits, home)
    except phonenumbers.NumberParseException:
        return True
    return shortnumberinfo.is_valid_short_number_for_region(parsed, home) or not phonenumbers.is_valid_number(
        parsed
    )


def _read(reading: Reading) -> _Read | Refusal:
    text = reading.digits if reading.region else f"+{reading.digits}"
    try:
        parsed = phonenumbers.parse(text, reading.region or None)
    except phonenumbers.NumberParseException as error:
        unknown = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return refusal(RefusalReason.UNKNOWN_COUNTRY_CODE if unknown else RefusalReason.IMPOSSIBLE_LENGTH)
    if not reading.region and _is_emergency_there(parsed):
        return refusal(RefusalReason.EMERGENCY)
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        return refusal(RefusalReason.IMPOSSIBLE_LENGTH) if reading.certain else _form_refusal(reading.region)
    is_valid = phonenumbers.is_valid_number(parsed)
    if not (is_valid or reading.certain):
        return _form_refusal(reading.region)
    if not is_valid and parsed.italian_leading_zero:
        # Only plans that list such numbers (Italy) keep a 0 behind the country code; elsewhere digits are
        # missing.
        return refusal(RefusalReason.IMPOSSIBLE_LENGTH)
    formatted = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
    if not _is_e164(formatted):
        return refusal(RefusalReason.IMPOSSIBLE_LENGTH)
    return _Read(number=E164(formatted), is_valid=is_valid, is_international=not reading.region)


def _is_emergency_there(parsed: phonenumbers.PhoneNumber) -> bool:
    """Whether somebody put a country code in front of an emergency number: +44 999."""
    national = phonenumbers.national_significant_number(parsed)
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(parsed.country_code or 0, ())
    return len(national) < numbering.DIGITS_MIN and any(
        shortnumberinfo.is_emergency_number(national, region) for region in regions
    )


def _parsed(number: E164) -> phonenumbers.PhoneNumber:
    """The library's view of a number; one of an unassigned country code belongs to country code 0."""
    try:
        return phonenumbers.parse(str(number), None)
    except phonenumbers.NumberParseException:
        return phonenumbers.PhoneNumber(country_code=0, national_number=0)


def _is_e164(digits: str) -> bool:
    return (
        numbering.DIGITS_MIN <= len(digits) <= numbering.DIGITS_MAX
        and ASCII_DIGITS.issuperset(digits)
        and digits[0] != "0"
    )


def _form_refusal(home: str | None) -> Refusal:
    return refusal(RefusalReason.NOT_A_NUMBER if home else RefusalReason.NO_HOME_COUNTRY)


_BARRED = {
    NumberKind.PREMIUM: RefusalReason.PREMIUM,
    NumberKind.SHARED_COST: RefusalReason.SHARED_COST,
    NumberKind.SATELLITE: RefusalReason.SATELLITE,
    NumberKind.GLOBAL: RefusalReason.GLOBAL,
}
_KINDS = {
    PhoneNumberType.FIXED_LINE: NumberKind.FIXED,
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.FIXED_OR_MOBILE,
    PhoneNumberType.VOIP: NumberKind.VOIP,
    PhoneNumberType.TOLL_FREE: NumberKind.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberKind.SHARED_COST,
    PhoneNumberType.PERSONAL_NUMBER: NumberKind.PERSONAL,
    PhoneNumberType.PAGER: NumberKind.PAGER,
    PhoneNumberType.UAN: NumberKind.COMPANY,
    PhoneNumberType.VOICEMAIL: NumberKind.VOICEMAIL,
}
