"""Exchange rates as rows: each with the day from which it holds; none is ever changed.

Reads: ExchangeRates (billing/exchange.py), rows of `exchange_rates`.
Gives: the rate between two currencies on a day; NotFound names the command that sets one.
Knows nothing of: payments.

A rate that was wrong is corrected by another for the same day: the row written last holds from then on,
and what was converted before keeps the rate that is stored with it.
"""

from datetime import date

from sqlalchemy import Connection, RowMapping, and_, insert, or_, select

from billing.exchange import ExchangeRate, shortest
from store.audit import Author, note
from store.errors import Invalid, NotFound
from store.schema import exchange_rates
from values.money import rate_from_units, rate_units


def set_rate(connection: Connection, wish: ExchangeRate, author: Author, *, source: str = "") -> bool:
    """Write a rate down; False if the very same one holds on that day already."""
    if wish.rate <= 0:
        raise Invalid("rate", f"{wish.rate} is not more than zero", "write how much one unit of base is")
    before = _newest(connection, wish.base, wish.quote, wish.on, only_then=True)
    if before == wish:
        return False
    connection.execute(
        insert(exchange_rates),
        {
            "base": wish.base,
            "quote": wish.quote,
            "valid_on": wish.on,
            "rate": rate_units(wish.rate),
            "source": source.strip(),
            "created_by": author.name,
            "created_at": author.at,
        },
    )
    was = {} if before is None else _told(before)
    now = {**_told(wish), "source": source.strip()}
    note(connection, author, "exchange.set", f"{wish.base}/{wish.quote}", before=was, after=now)
    return True


def rate_between(connection: Connection, one: str, other: str, on: date) -> ExchangeRate:
    """The newest rate between two currencies that holds on that day, whichever of them is its base."""
    found = _newest(connection, one, other, on)
    if found is None:
        remedy = f"run `dialback exchange set {other} {one} RATE --on {on.isoformat()}`"
        raise NotFound("currency", f"there is no rate between {one} and {other} for {on}", remedy)
    return found


def list_rates(connection: Connection) -> tuple[tuple[ExchangeRate, str, str], ...]:
    """Every rate with its source and who set it, by pair and day, in the order in which they were written."""
    order = (exchange_rates.c.base, exchange_rates.c.quote, exchange_rates.c.valid_on, exchange_rates.c.id)
    rows = connection.execute(select(exchange_rates).order_by(*order)).mappings()
    return tuple((_rate_of(row), row["source"], row["created_by"]) for row in rows)


def _newest(
    connection: Connection, one: str, other: str, on: date, *, only_then: bool = False
) -> ExchangeRate | None:
    """The rate between them that was written last, of that day or of the nearest one before it."""
    pair = or_(
        and_(exchange_rates.c.base == one, exchange_rates.c.quote == other),
        and_(exchange_rates.c.base == other, exchange_rates.c.quote == one),
    )
    wanted = (
        select(exchange_rates)
        .where(pair, exchange_rates.c.valid_on == on if only_then else exchange_rates.c.valid_on <= on)
        .order_by(exchange_rates.c.valid_on.desc(), exchange_rates.c.id.desc())
        .limit(1)
    )
    row = connection.execute(wanted).mappings().first()
    return None if row is None else _rate_of(row)


def _told(rate: ExchangeRate) -> dict[str, object]:
    return {"rate": f"1 {rate.base} = {shortest(rate.rate)} {rate.quote}", "on": rate.on}


def _rate_of(row: RowMapping) -> ExchangeRate:
    rate = rate_from_units(row["rate"])
    return ExchangeRate(base=row["base"], quote=row["quote"], rate=rate, on=row["valid_on"])
