"""`dialback exchange …`: dated rates between currencies.

Reads: words of the command line; exchange rates in the store.
Gives: the click group `exchange`.
Knows nothing of: SQL, payments.
"""

from __future__ import annotations

from datetime import datetime

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import Instant, output_option, required_reason_option
from staff.listing import show_record, show_rows

LISTED = ("base", "quote", "rate", "on", "source", "set_by")


@click.group()
def exchange() -> None:
    """Exchange rates: by which payments in another currency are converted."""


@exchange.command(
    "set",
    epilog="Example: dialback exchange set EUR USD 1.10 --on 2026-03-01 --source ECB --reason 'daily rate'",
)
@click.argument("base", metavar="BASE")
@click.argument("quote", metavar="QUOTE")
@click.argument("text", metavar="RATE")
@click.option(
    "--on", type=Instant(), metavar="DATE", help="The first day on which it holds.  [default: today]"
)
@click.option("--source", default="", help="Who publishes it.")
@required_reason_option
@output_option
@pass_desk
def set_(
    desk: Desk,
    *,
    base: str,
    quote: str,
    text: str,
    on: datetime | None,
    source: str,
    reason: str,
    output: str,
) -> None:
    """Write down that one BASE is RATE QUOTE from a day on; also used from QUOTE to BASE.

    What was converted before keeps its rate. Given again with the same rate it changes nothing.
    """
    from billing.exchange import ExchangeRate, shortest
    from store import checks
    from store import exchange as rates
    from store.errors import Invalid
    from values.money import RATE_SCALE, decimal_number

    one, other = checks.currency("base", base.upper()), checks.currency("quote", quote.upper())
    if one == other:
        raise Invalid("quote", f"{other} is its own base", "name two currencies")
    rate = decimal_number(text, places=RATE_SCALE, field="rate")
    if not rate:
        raise Invalid("rate", "it is zero", "write how many of QUOTE one of BASE is")
    wish = ExchangeRate(base=one, quote=other, rate=rate, on=(on or desk.now()).date())
    if not desk.change("set exchange rate", rates.set_rate, wish, desk.author(reason), source=source):
        say("This rate holds already; nothing was changed.")
    show_record(
        {"base": one, "quote": other, "rate": shortest(rate), "on": wish.on, "source": source}, output
    )


@exchange.command("list", epilog="Example: dialback exchange list --output csv")
@output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List every rate; of several for one day the last one holds."""
    from billing.exchange import shortest as printed_rate
    from store import exchange as rates

    rows = [
        {
            "base": each.base,
            "quote": each.quote,
            "rate": printed_rate(each.rate),
            "on": each.on,
            "source": source,
            "set_by": who,
        }
        for each, source, who in desk.read("list exchange rates", rates.list_rates)
    ]
    show_rows(rows, LISTED, output, none="There is no exchange rate yet.")
