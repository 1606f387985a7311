"""Books with something in every table: a call, payments in two currencies, a correction, rates."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from moneyed import Money
from sqlalchemy import Connection
from storeworld import CLERK, NOW, callback, play, story

from billing.exchange import ExchangeRate
from store import exchange, payments

AUTHOR = replace(CLERK, at=NOW, reason="as agreed")
DOLLARS = ExchangeRate(base="EUR", quote="USD", rate=Decimal("1.10"), on=date(2026, 3, 1))


def fill_books(connection: Connection) -> None:
    """A settled call of account `acme`, and what its clerk did."""
    play(connection, callback(), story(callback()))
    exchange.set_rate(connection, DOLLARS, AUTHOR)
    payments.receive(connection, "acme", Money("20", "EUR"), "bank 1", AUTHOR)
    payments.receive(connection, "acme", Money("3.60", "USD"), "wire 1", AUTHOR)
    payments.refund(connection, "acme", Money("1.50", "EUR"), "out 1", AUTHOR)
    payments.adjust(connection, "acme", Money("-0.25", "EUR"), "case 7", AUTHOR)
