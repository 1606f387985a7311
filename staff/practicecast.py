"""Who plays in a practice month: customers, prices and carriers that nobody has, and what they telephone.

Reads: nothing.
Gives: the cast as the store takes it, and its calls by the day of the month and the clock of each account.
Knows nothing of: SQL, which month it is.

Every number is one that a regulator keeps for films and books, or for no subscriber: nobody can be rung by
mistake. Every name says that it is practice, for names stand on invoices.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import NamedTuple

from billing.tax import TaxCategory
from rating.plan import Plan
from store.accounts import PREPAID, Account
from store.customers import Subscriber
from store.trunks import Trunk

DID = "+442079460900"
ABROAD = {"paris": "+33199001234", "sydney": "+61255500123", "london": "+442079460321"}
ABROAD |= {"berlin": "+493023125321", "washington": "+12025550143"}


class Price(NamedTuple):
    """What a minute to a prefix is sold for in each currency, and what each carrier asks."""

    prefix: str
    destination: str
    usd: str
    eur: str
    gbp: str
    north: str
    south: str


PRICES = (
    Price("1", "United States and Canada", "0.2500", "0.2300", "0.2000", "0.0090", "0.0110"),
    Price("33", "France", "0.0850", "0.0790", "0.0690", "0.0110", "0.0140"),
    Price("44", "United Kingdom", "0.1000", "0.0920", "0.0800", "0.0080", "0.0090"),
    Price("447", "United Kingdom, mobile", "0.1400", "0.1290", "0.1120", "0.0310", "0.0300"),
    Price("49", "Germany", "0.1100", "0.1010", "0.0880", "0.0100", "0.0120"),
    Price("61", "Australia", "0.2400", "0.2210", "0.1920", "0.0210", "0.0240"),
)
TRUNKS = (
    Trunk(name="north", carrier="northtel", cost_deck="northtel-usd"),
    Trunk(name="south", carrier="southtel", cost_deck="southtel-eur", priority=20),
)
COSTS = {"northtel-usd": "USD", "southtel-eur": "EUR"}
EXCHANGE = (("EUR", "USD", "1.10"), ("GBP", "USD", "1.25"), ("GBP", "EUR", "1.14"))
PLANS = (
    Plan(id="", name="london", version=1, currency="GBP", deck_id="retail-gbp"),
    Plan(
        id="",
        name="berlin",
        version=1,
        currency="EUR",
        deck_id="retail-eur",
        monthly_fee=Decimal("4.00"),
        package_seconds=600,
    ),
    Plan(id="", name="newyork", version=1, currency="USD", deck_id="retail-usd", next_increment_s=6),
)


class Tax(NamedTuple):
    """A rate of a place, for a group of what is sold."""

    place: str
    group: str
    percent: str
    label: str = "VAT"
    category: TaxCategory = TaxCategory.STANDARD
    reverse_charge: bool = False


TAXES = (
    Tax("GB", "calls", "20"),
    Tax("GB", "standard", "20"),
    Tax("GB", "print", "0", category=TaxCategory.ZERO),
    Tax("DE", "standard", "19", reverse_charge=True),
    Tax("US-NY", "calls", "8.875", "Sales tax"),
    Tax("US-NY", "standard", "4", "Sales tax"),
)
ACCOUNTS = (
    Account(
        id="harbour",
        name="Harbour Books Ltd (practice)",
        currency="GBP",
        zone="Europe/London",
        plan_name="london",
        credit_limit_units=200_0000,
        billing_address="7 Harbour Lane\nWhitby YO21 0AA\nUnited Kingdom",
        billing_email="accounts@harbour.example",
        tax_place="GB",
    ),
    Account(
        id="alster",
        name="Alster Reisen GmbH (practice)",
        currency="EUR",
        zone="Europe/Berlin",
        plan_name="berlin",
        credit_limit_units=200_0000,
        billing_address="Am Alsterufer 7\n20354 Hamburg",
        billing_email="rechnung@alster.example",
        tax_place="DE",
        tax_id="DE136695976",
    ),
    Account(
        id="hudson",
        name="Hudson Freight Inc (practice)",
        currency="USD",
        zone="America/New_York",
        plan_name="newyork",
        credit_limit_units=200_0000,
        billing_address="700 Pier Street\nNew York, NY 10000",
        billing_email="ap@hudson.example",
        tax_place="US-NY",
        masks_numbers=True,
    ),
    Account(
        id="pat",
        name="Pat Lee (practice)",
        currency="GBP",
        zone="Europe/London",
        plan_name="london",
        kind=PREPAID,
        tax_place="GB",
    ),
)
PEOPLE = {
    Subscriber(id="mia", account_id="harbour", name="Mia Harbour", home_country="GB"): "+447700900101",
    Subscriber(id="tom", account_id="harbour", name="Tom Fisher", home_country="GB"): "+447700900102",
    Subscriber(id="lena", account_id="alster", name="Lena Alster", home_country="DE"): "+493023125101",
    Subscriber(id="joe", account_id="hudson", name="Joe Hudson", home_country="US"): "+12025550142",
    Subscriber(id="pat-lee", account_id="pat", name="Pat Lee", home_country="GB"): "+447700900103",
}
TAG_OF_BERLIN = ("harbour", "49", "Frankfurt fair")
TOP_UP = ("pat", "10.00", "card-1")


class Fee(NamedTuple):
    """An option of an account, a month."""

    account_id: str
    name: str
    monthly: str
    tax_group: str


FEES = (
    Fee("harbour", "Rate book in print", "2.50", "print"),
    Fee("alster", "A second trigger number", "5.00", "standard"),
    Fee("hudson", "A second trigger number", "6.00", "standard"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One callback: who rings on which day of the month, by the clock of their account, and who is talked to.

    Each talk is a place of ABROAD and its seconds; 0 is a busy line. Without a talk nobody answers us.
    """

    who: str
    day: int
    at: time
    talks: tuple[tuple[str, int], ...] = ()


def _rings(who: str, day: int, at: str, *talks: tuple[str, int]) -> Part:
    return Part(who=who, day=day, at=time.fromisoformat(at), talks=talks)


PARTS = (
    _rings("mia", 2, "09:12", ("paris", 184)),
    _rings("mia", 3, "10:40", ("washington", 612)),
    _rings("tom", 3, "16:05", ("berlin", 95), ("paris", 41)),
    _rings("mia", 9, "11:31", ("sydney", 1325)),
    _rings("tom", 10, "08:58", ("berlin", 0), ("berlin", 377)),
    _rings("tom", 12, "13:20"),
    _rings("mia", 17, "22:47", ("sydney", 4)),  # the line to dispute: nobody heard anybody
    _rings("mia", 17, "22:50", ("sydney", 868)),
    _rings("tom", 24, "17:29", ("washington", 241)),
    _rings("lena", 2, "08:30", ("london", 200)),
    _rings("lena", 5, "14:02", ("london", 430), ("paris", 63)),
    _rings("lena", 11, "19:45", ("sydney", 745)),
    _rings("lena", 18, "07:15", ("washington", 0)),
    _rings("lena", 26, "12:00", ("washington", 1104)),
    _rings("joe", 1, "00:20", ("london", 333)),
    _rings("joe", 8, "18:09", ("berlin", 52)),
    _rings("joe", 15, "12:44", ("london", 2210)),
    _rings("joe", 22, "23:55", ("paris", 610)),
    _rings("pat-lee", 6, "20:15", ("washington", 300)),
    _rings("pat-lee", 20, "20:30", ("paris", 121)),
)
