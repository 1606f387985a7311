"""A practice month: fictitious customers, and their calls of last month, in the books as real ones are.

Reads: the cast (staff/practicecast.py), the clock.
Gives: the month; a database with customers, prices, carriers and settled callbacks.
Knows nothing of: rows: customers are opened by the functions of `dialback account add` and its like, calls
are played (staff/rehearsal.py).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from staff import practicecast as cast
from staff.desk import Desk
from staff.rehearsal import Rehearsal

if TYPE_CHECKING:
    from rating.rate import Rate
    from store.audit import Author
    from store.database import Connection

Month = tuple[int, int]
WHO, WHY = "practice", "a practice month: nobody is called, nothing is owed"
LAST_ZONE_BEHIND = timedelta(hours=12)
"""Nowhere is it earlier than that behind UTC: a month is over everywhere so long after its end there."""


def last_month(now: datetime) -> Month:
    """The last month that is over in every zone."""
    last_day = (now - LAST_ZONE_BEHIND).astimezone(UTC).date().replace(day=1) - timedelta(days=1)
    return last_day.year, last_day.month


def fill(desk: Desk) -> Month:
    """Open the customers as of a day before last month, and play its calls; all of it or nothing."""
    played = last_month(desk.now())
    desk.change("fill practice", _fill, desk, played)
    return played


def _fill(connection: Connection, desk: Desk, month: Month) -> None:
    from store.audit import Author
    from values.ids import RANDOM_BYTES, sortable_id

    year, number = month
    opened = Author(at=datetime(year, number, 1, tzinfo=UTC) - timedelta(days=2), name=WHO, reason=WHY)
    _open_house(connection, opened)
    _open_accounts(connection, opened)
    rehearsal = Rehearsal(
        desk.database, desk.settings.switch, lambda at: sortable_id(at, desk.chance(RANDOM_BYTES))
    )
    zones = {account.id: ZoneInfo(account.zone) for account in cast.ACCOUNTS}
    callers = {person.id: (phone, zones[person.account_id]) for person, phone in cast.PEOPLE.items()}

    def rings_at(part: cast.Part) -> datetime:
        _, zone = callers[part.who]
        return datetime.combine(date(year, number, part.day), part.at, zone).astimezone(UTC)

    for part in sorted(cast.PARTS, key=rings_at):
        phone, _ = callers[part.who]
        rehearsal.play(connection, phone, rings_at(part), part.talks)


def _open_house(connection: Connection, author: Author) -> None:
    """Prices, carriers, plans, taxes, exchange rates, and the number to ring."""
    from billing.exchange import ExchangeRate
    from billing.tax import TaxRow
    from store import decks, dids, exchange, plans, taxes, trunks
    from values.e164 import E164

    for currency in ("USD", "EUR", "GBP"):
        _deck(connection, f"retail-{currency.lower()}", decks.SELL, currency, author)
    for name, currency in cast.COSTS.items():
        _deck(connection, name, decks.COST, currency, author)
    for trunk in cast.TRUNKS:
        trunks.add_trunk(connection, trunk, author)
    for plan in cast.PLANS:
        plans.add_plan(connection, plan, effective_at=author.at, author=author)
    day = author.at.date()
    for tax in cast.TAXES:
        row = TaxRow(
            place=tax.place,
            group=tax.group,
            valid_from=day,
            percent=Decimal(tax.percent),
            label=tax.label,
            category=tax.category,
            reverse_charge=tax.reverse_charge,
        )
        taxes.set_tax(connection, row, author)
    for base, quote, rate in cast.EXCHANGE:
        wish = ExchangeRate(base=base, quote=quote, rate=Decimal(rate), on=day)
        exchange.set_rate(connection, wish, author, source=WHO)
    dids.add_did(connection, dids.Did(number=E164.parse(cast.DID), kind=dids.SHARED), author)


def _deck(connection: Connection, name: str, kind: str, currency: str, author: Author) -> None:
    from store import decks

    column = name.partition("-")[0].removesuffix("tel") if kind == decks.COST else currency.lower()
    rows = [_rate(price, getattr(price, column), currency, author.at) for price in cast.PRICES]
    decks.add_deck(connection, name=name, kind=kind, currency=currency, author=author)
    decks.add_version(connection, deck_name=name, new_rates=rows, effective_at=author.at, author=author)


def _rate(price: cast.Price, per_minute: str, currency: str, since: datetime) -> Rate:
    from rating.rate import Rate

    return Rate(
        id="",
        prefix=price.prefix,
        destination=price.destination,
        per_minute=Decimal(per_minute),
        valid_from=since,
        currency=currency,
    )


def _open_accounts(connection: Connection, author: Author) -> None:
    """Customers with their telephones, what they pay each month, and what was paid in advance."""
    from moneyed import Money

    from billing.ledger import EntryKind
    from store import customers, options, payments, tags
    from values.e164 import E164
    from values.money import decimal_units

    currencies = {account.id: account.currency for account in cast.ACCOUNTS}
    for account in cast.ACCOUNTS:
        customers.add_account(connection, account, author)
    register = partial(customers.add_number, connection, author=author, verified=True)
    for person, phone in cast.PEOPLE.items():
        customers.add_subscriber(connection, person, author)
        register(subscriber_id=person.id, number=E164.parse(phone))
    for fee in cast.FEES:
        wish = options.Option(
            id=f"{fee.account_id}-{fee.tax_group}",
            account_id=fee.account_id,
            name=fee.name,
            monthly_units=decimal_units(Decimal(fee.monthly)),
            currency=currencies[fee.account_id],
            starts_on=author.at.date(),
            tax_group=fee.tax_group,
        )
        options.add_option(connection, wish, author)
    account_id, prefix, tag = cast.TAG_OF_BERLIN
    tags.add_tag(connection, tags.TagRow(account_id=account_id, digits=prefix, tag=tag, is_rule=True), author)
    account_id, amount, reference = cast.TOP_UP
    paid = Money(Decimal(amount), currencies[account_id])
    payments.receive(connection, account_id, paid, reference, author, kind=EntryKind.TOP_UP)
