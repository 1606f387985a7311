"""Checks of what people write, before it becomes a row.

Reads: text and numbers from the command line, the web and files.
Gives: the same, or Invalid, which names the field and the remedy.
Knows nothing of: tables.
"""

import re
from zoneinfo import ZoneInfo, available_timezones

from store.errors import Invalid
from values import taxid
from values.e164 import E164, NumberRefused, countries, normalise
from values.money import UNITS_MAX, AmountRefused, currency_code, decimal_from_units, plain_decimal

NAME_CHARACTERS_MAX = 40
TAG_CHARACTERS_MAX = 60
TEXT_CHARACTERS_MAX = 500
_SLUG = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{NAME_CHARACTERS_MAX - 2}}}[a-z0-9])?")
# One mailbox, nothing else: a name, a second address or a line break would go into a mail's header.
_EMAIL = re.compile(r"[^\s@,;:<>()\[\]\"\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?")


def slug(field: str, text: str) -> str:
    """A short name that is also part of ids and commands: a-z, 0-9 and inner hyphens."""
    if not _SLUG.fullmatch(text):
        remedy = f"write 1 to {NAME_CHARACTERS_MAX} of a-z, 0-9 and -, such as acme-2"
        raise Invalid(field, f"{text!r} cannot be a name here", remedy)
    return text


def line(field: str, text: str, *, optional: bool = False) -> str:
    """One line that a person reads; no control characters."""
    stripped = text.strip()
    if not stripped and not optional:
        raise Invalid(field, "it is empty", "write at least one character")
    if len(stripped) > TEXT_CHARACTERS_MAX or not all(
        char.isprintable() or char == "\n" for char in stripped
    ):
        raise Invalid(
            field, "it is too long or holds control characters", f"write at most {TEXT_CHARACTERS_MAX}"
        )
    return stripped


def tag(field: str, text: str) -> str:
    """What calls are booked under: an employee, a client, a supplier; empty for nothing."""
    stripped = text.strip()
    if len(stripped) > TAG_CHARACTERS_MAX or not stripped.isprintable():
        remedy = f"write one line of at most {TAG_CHARACTERS_MAX} characters"
        raise Invalid(field, "it is too long or holds control characters", remedy)
    return stripped


def zone(field: str, name: str) -> str:
    """An IANA time zone."""
    if name not in available_timezones():
        raise Invalid(field, f"{name!r} is no time zone", "write an IANA name, such as Europe/London")
    return ZoneInfo(name).key


def currency(field: str, code: str) -> str:
    """An ISO 4217 code."""
    try:
        return currency_code(code, field=field)
    except AmountRefused as refused:
        raise Invalid(field, f"{code!r} is refused", refused.remedy) from None


def country(field: str, code: str) -> str:
    """An ISO 3166 code of two capitals."""
    if code not in countries():
        raise Invalid(field, f"{code!r} is no country", "write two capitals, such as GB")
    return code


def language(field: str, tag: str) -> str:
    """A language tag such as en or pt-BR."""
    if not _LANGUAGE.fullmatch(tag):
        raise Invalid(field, f"{tag!r} is no language", "write a tag, such as en or pt-BR")
    return tag


def number(field: str, text: str, home_country: str | None) -> E164:
    """A telephone number as a person writes it."""
    try:
        return normalise(text, home_country=home_country)
    except NumberRefused as refused:
        raise Invalid(field, f"{text!r} is refused", refused.remedy) from None


def email(field: str, text: str) -> str:
    """One e-mail address, or none."""
    written = text.strip()
    if written and not (_EMAIL.fullmatch(written) and written.isprintable()):
        raise Invalid(field, f"{text!r} is no e-mail address", "write one, such as bills@example.com")
    return written


def tax_place(field: str, text: str) -> str:
    """A country or region that taxes, or none."""
    try:
        return taxid.tax_place(text)
    except taxid.TaxIdRefused as refused:
        raise Invalid(field, refused.problem, refused.remedy) from None


def tax_id(field: str, text: str, place: str) -> str:
    """A tax id as its country writes it, or none."""
    try:
        return taxid.tax_id(text, place)
    except taxid.TaxIdRefused as refused:
        raise Invalid(field, refused.problem, refused.remedy) from None


def whole(field: str, value: int, least: int, most: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid(field, f"{value!r} is refused", f"write a whole number from {least} to {most}")
    return value


def amount(field: str, units: int, currency: str, *, least: int = 0) -> int:
    """An amount in 10^-4 of its unit, `least` or more; a wrong one is told as it is written, not in units."""
    if not least <= units <= UNITS_MAX:
        told, low, high = (plain_decimal(decimal_from_units(each)) for each in (units, least, UNITS_MAX))
        raise Invalid(field, f"{told} {currency} is refused", f"write an amount from {low} to {high}")
    return units


def one_of(field: str, value: str, choices: tuple[str, ...]) -> str:
    """One of a few words."""
    if value not in choices:
        raise Invalid(field, f"{value!r} is refused", f"write one of {', '.join(choices)}")
    return value
