"""The ways in which dialled digits can be meant.

Reads: text, and the countries whose dialling habits apply (libphonenumber's metadata).
Gives: Dialled, the text without separators; its Readings, the likeliest first.
Knows nothing of: which reading is a number in use (values/e164.py decides).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

from values import numbering
from values.refusal import NumberRefused, RefusalReason, refusal

ASCII_DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled:
    """Text without separators. `without_zero` is the same without a bracketed (0), if there was one."""

    plus: bool
    digits: str
    without_zero: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to take the digits: international if `region` is empty, else national there.

    Only a `certain` one may be a number that the numbering plan does not list as in use: new ranges open
    every month, but bare digits without any prefix prove too little.
    """

    digits: str
    region: str = ""
    certain: bool = True


def dialled_digits(text: str) -> Dialled:
    """The digits of a text; NumberRefused if it holds anything but digits, a `+` and separators."""
    if len(text) > numbering.TEXT_MAX:
        raise NumberRefused(refusal(RefusalReason.IMPOSSIBLE_LENGTH))
    digits, plus = _stripped(text)
    without_zero, _ = _stripped(text.replace("(0)", "", 1))
    return Dialled(plus=plus, digits=digits, without_zero=without_zero)


def readings(dialled: Dialled, *, home: str | None, ingress: str | None) -> Iterator[Reading]:
    """All ways to take the digits, the likeliest first."""
    for digits in dict.fromkeys((dialled.without_zero, dialled.digits)):
        if dialled.plus:
            yield Reading(digits=digits)
            continue
        for country in dict.fromkeys((ingress, home)):
            if country is not None and (rest := after_international_prefix(digits, country)):
                yield Reading(digits=rest)
        if home is not None:
            yield Reading(digits=digits, region=home, certain=_has_trunk_prefix(digits, home))
        # Travellers key 00 and 011 wherever they are. After the home reading: 0113 is Leeds in the United
        # Kingdom.
        for prefix in ("00", "011"):
            if digits.startswith(prefix) and len(digits) > len(prefix):
                yield Reading(digits=digits.removeprefix(prefix))


def after_international_prefix(digits: str, country: str) -> str:
    """The rest after that country's international prefix, empty if it does not begin with one."""
    found = _international_prefix(country).match(digits)
    return digits[found.end() :] if found else ""


def checked_country(country: str | None) -> str | None:
    """The country as it is, None for none; ValueError for a code that is no country."""
    return known_country(country) if country else None


def known_country(country: str) -> str:
    """The country as it is; ValueError for a code that is no country."""
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{country!r} is no country; write its two-letter ISO 3166 code, such as GB")
    return country


def _stripped(text: str) -> tuple[str, bool]:
    bare = "".join(character for character in text if character not in numbering.SEPARATORS)
    plus = bare.startswith(tuple(numbering.PLUS_SIGNS))
    digits = bare[1:] if plus else bare
    if not digits:
        raise NumberRefused(refusal(RefusalReason.EMPTY))
    if not ASCII_DIGITS.issuperset(digits):
        raise NumberRefused(refusal(RefusalReason.NOT_DIGITS))
    return digits, plus


@lru_cache(maxsize=512)
def _international_prefix(country: str) -> re.Pattern[str]:
    metadata = PhoneMetadata.metadata_for_region(country)
    # Nothing begins with "x": a country without a prefix in the data matches nothing.
    return re.compile(metadata.international_prefix if metadata and metadata.international_prefix else "x")


def _has_trunk_prefix(digits: str, country: str) -> bool:
    metadata = PhoneMetadata.metadata_for_region(country)
    return bool(metadata and metadata.national_prefix and digits.startswith(metadata.national_prefix))
