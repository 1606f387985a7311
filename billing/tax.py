"""Tax: which rate a group of lines bears, for a buyer in a place.

Reads: the dated rows of the tax table, where both sides are, the buyer's tax id.
Gives: TaxGroup: label, rate, category and the text that the law wants printed; or TaxRefused.
Knows nothing of: databases, amounts (billing/totals.py).

Laws:
1. The newest row of (place, group) that is valid on the day decides; a group without rows of its own bears
   the place's `standard` one.
2. Where no tax was ever set, none is charged. Where some were, a place without a row is refused: to guess a
   rate is to owe it.
3. Reverse charge: the row allows it, the buyer sits in another country than the seller and has a tax id of
   that country. Then the rate is 0 and the text says who owes the tax. Where nobody wrote down in which
   country the seller is, such a buyer is refused: a firm at home must not get away without tax.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

CALLS, STANDARD = "calls", "standard"
"""The group of call charges; the group that stands in for one without rows."""
PERCENT_MAX = 100
PERCENT_PLACES = 4
REVERSE_CHARGE_TEXT = (
    "Reverse charge: the recipient owes the VAT (Articles 44 and 196 of Directive 2006/112/EC)."
)
UNTAXED_TEXT = "Not subject to VAT."
# The prefix of a tax id is the country, but for Greece (Directive 2006/112/EC, Article 215).
_PREFIXES = {"GR": "EL"}
_TAX_ID = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}")


class TaxCategory(StrEnum):
    """What kind of rate it is: the codes of EN 16931 (UNTDID 5305)."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    EXPORT = "G"
    UNTAXED = "O"


class TaxRefused(ValueError):
    """No rate can be said for this buyer; the sentence names the place and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxGroup:
    """What is taxed alike: a printed label and a rate in percent."""

    label: str
    percent: Decimal
    category: TaxCategory = TaxCategory.STANDARD
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRow:
    """One row of the tax table."""

    place: str
    group: str
    valid_from: date
    percent: Decimal
    label: str = "VAT"
    category: TaxCategory = TaxCategory.STANDARD
    reverse_charge: bool = False
    text: str = ""


UNTAXED = TaxGroup(label="", percent=Decimal(0), category=TaxCategory.UNTAXED, text=UNTAXED_TEXT)


def tax_of(
    rows: Iterable[TaxRow], *, group: str, place: str, seller_country: str, tax_id: str, on: date
) -> TaxGroup:
    """Return what lines of that group bear for a buyer in that place on that day."""
    table = tuple(rows)
    if not table:
        return UNTAXED
    row = _row(table, place, group, on) or _row(table, place, STANDARD, on)
    if row is None:
        told = f"place {place!r}" if place else "an account without a tax place"
        raise TaxRefused(
            f"tax: there is no rate for {told} on {on}; set one with `dialback tax set`,"
            " or name the place with `dialback account change --tax-place`"
        )
    if row.reverse_charge and country_of(place) != seller_country and is_tax_id_of(tax_id, place):
        if not seller_country:
            raise TaxRefused(
                f"tax: whether a firm in {place} owes it itself depends on your own country;"
                " write `country` into [seller] of switch.toml"
            )
        return TaxGroup(
            label=row.label,
            percent=Decimal(0),
            category=TaxCategory.REVERSE_CHARGE,
            text=row.text or REVERSE_CHARGE_TEXT,
        )
    return TaxGroup(label=row.label, percent=row.percent, category=row.category, text=_text(row))


def country_of(place: str) -> str:
    """Return the country of a place such as DE or US-NY; empty if it names none."""
    country = place.partition("-")[0]
    return country if re.fullmatch(r"[A-Z]{2}", country) else ""


def is_tax_id_of(tax_id: str, place: str) -> bool:
    """Whether it has the form of a tax id of that place's country; that it is in force, a registry says."""
    country = country_of(place)
    plain = re.sub(r"[ .-]", "", tax_id).upper()
    prefix = _PREFIXES.get(country, country)
    return bool(country) and bool(_TAX_ID.fullmatch(plain)) and plain.startswith(prefix)


def check_row(row: TaxRow) -> TaxRow:
    """Return the row if it can be meant; TaxRefused names the field and the remedy."""
    if not row.place.strip() or not row.group.strip():
        raise TaxRefused("place, group: name both, such as DE and standard")
    if not 0 <= row.percent <= PERCENT_MAX:
        raise TaxRefused(f"percent: {row.percent:f} is refused: write a percentage from 0 to {PERCENT_MAX}")
    if (row.category is TaxCategory.STANDARD) != (row.percent > 0):
        raise TaxRefused(
            "percent: only category S has a rate above 0; for 0 say why by --category Z, E, G or O"
        )
    if row.category is TaxCategory.REVERSE_CHARGE:
        raise TaxRefused("category: AE follows from the buyer; give the normal rate and --reverse-charge")
    if row.category in _SAY_WHY and not row.text.strip():
        raise TaxRefused("text: say on what ground no tax is due; the law wants it printed")
    return replace(row, text=row.text.strip(), label=row.label.strip() or "VAT")


_SAY_WHY = frozenset({TaxCategory.EXEMPT, TaxCategory.EXPORT})


def _row(table: Iterable[TaxRow], place: str, group: str, on: date) -> TaxRow | None:
    fitting = [row for row in table if (row.place, row.group) == (place, group) and row.valid_from <= on]
    return max(fitting, key=lambda row: row.valid_from, default=None)


def _text(row: TaxRow) -> str:
    return row.text or (UNTAXED_TEXT if row.category is TaxCategory.UNTAXED else "")
