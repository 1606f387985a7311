"""`dialback quote`: what a callback would cost, with both legs, any day, any caller ID.

Reads: words of the command line; plans, decks, trunks, packages in the store.
Gives: the click command `quote`.
Knows nothing of: SQL, how a price comes about (rating/).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import REFUSED, Stop
from staff.inputs import Count, Instant, home_country_option, rows_output_option
from staff.listing import Row, decimal_amount, moment, show_rows
from staff.routes import NONE, check_terms, plan_at

if TYPE_CHECKING:
    from decimal import Decimal

    from calls.cdr import LegRole
    from rating.credit import LongestTalk, Shortfall
    from rating.plan import Plan
    from rating.price import Charge, SessionPrice
    from rating.quote import QuotedLeg
    from store.database import Connection
    from values.e164 import E164

SECONDS = click.IntRange(0, 86_400)
LISTED = (
    "leg",
    "number",
    "destination",
    "prefix",
    "band",
    "charged_seconds",
    "billed_seconds",
    "package_seconds",
    "per_minute",
    "surcharge_per_minute",
    "connect_fee",
    "amount",
)
SPARE = ("package_seconds", "surcharge_per_minute", "connect_fee", "prefix")


@click.command(
    epilog="Example: dialback quote --account acme --from +447700900123 --to +12125550100 --seconds 600"
    "\n\nExample: dialback quote --plan standard --from +447700900123 --to +33142685300 --seconds 300"
    " --at 2026-03-02T19:30:00Z --caller-id none --explain"
)
@click.option("--account", "account_id", metavar="ACCOUNT", help="Whose plan, package and credit.")
@click.option("--plan", "plan_name", metavar="NAME[:VERSION]", help="A plan, instead of an account's.")
@click.option("--from", "number_a", required=True, metavar="NUMBER", help="Who is called back.")
@click.option("--to", "number_b", required=True, metavar="NUMBER", help="Whom they talk to.")
@click.option(
    "--seconds",
    type=click.IntRange(0, 7200),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long they talk.",
)
@click.option("--at", type=Instant(), metavar="TIME", help="When both are dialled.  [default: now]")
@click.option("--to-at", type=Instant(), metavar="TIME", help="When --to is dialled, if not at --at.")
@click.option(
    "--caller-id", metavar="NUMBER|none", help="What --to is shown, digits or none.  [default: --from]"
)
@click.option("--did", metavar="NUMBER|none", help="What --from is shown.  [default: their trigger number]")
@click.option("--key-after", type=SECONDS, default=0, metavar="SECONDS", help="From answer to the first key.")
@click.option(
    "--connected-after", type=SECONDS, default=0, metavar="SECONDS", help="From answer to the talk."
)
@click.option(
    "--stays-for", type=SECONDS, default=0, metavar="SECONDS", help="How long --from stays on after the talk."
)
@click.option(
    "--credit", metavar="AMOUNT", help="What the longest talk is told for.  [default: what the account has]"
)
@click.option("--package-left", type=Count(0), metavar="SECONDS", help="What is left of the plan's package.")
@click.option("--explain", is_flag=True, help="Tell step by step how each amount comes about.")
@home_country_option
@rows_output_option
@pass_desk
def quote(desk: Desk, /, *, explain: bool, output: str, **words: Any) -> None:
    """Price a callback before it is made, by the very functions that bill it."""
    check_terms(words["account_id"], words["plan_name"])
    if words["key_after"] > words["connected_after"] and words["connected_after"]:
        raise click.UsageError("--key-after: nobody is connected before the first key")
    if words["to_at"] and words["to_at"] < (words["at"] or desk.now()):
        raise click.UsageError("--to-at: nobody is called before --from is; give a later time, or --at too")
    made = desk.read("quote", _quote, words, desk.now())
    _show(made, output, explain=explain)


class _Side(NamedTuple):
    """One leg of the quote, as it is shown."""

    role: LegRole
    written: str
    leg: QuotedLeg
    band: str
    deck_id: str
    caller_id: E164 | None
    origin: str
    route: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quoted:
    plan: Plan
    at: datetime
    sides: tuple[_Side, _Side]
    price: SessionPrice
    longest: LongestTalk | Shortfall | None


def _quote(connection: Connection, words: dict[str, Any], now: datetime) -> _Quoted:
    from calls.cdr import LegRole
    from rating.quote import Course, longest, quote

    at = words["at"] or now
    plan, left, credit = _terms(connection, words, at)
    written_a, written_b = words["number_a"], words["number_b"]
    number_a = _number("from", written_a, words["home_country"])
    number_b = _destination(written_b, words["home_country"])
    wish_a = _did(connection, words["did"], number_a)
    wish_b = _wish(words["caller_id"], number_a)
    later = words["to_at"] or at
    a = _side(connection, plan, LegRole.A, written_a, number_a, at, wish_a, 0)
    b = _side(connection, plan, LegRole.B, written_b, number_b, later, wish_b, left)
    course = Course(
        answered_at=at,
        keyed_after=words["key_after"],
        connected_after=words["connected_after"],
        talk_seconds=words["seconds"],
        stays_for=words["stays_for"],
    )
    found = None if credit is None else longest(plan=plan, a=a.leg, b=b.leg, course=course, credit=credit)
    price = quote(plan=plan, a=a.leg, b=b.leg, course=course)
    return _Quoted(plan=plan, at=at, sides=(a, b), price=price, longest=found)


def _terms(connection: Connection, words: dict[str, Any], at: datetime) -> tuple[Plan, int, Decimal | None]:
    """The plan, what is left of its package, the credit for the longest talk."""
    from store import customers, ledger, packages
    from values.money import AMOUNT_SCALE, decimal_from_units, decimal_number

    credit = words["credit"]
    known = None if credit is None else decimal_number(credit, places=AMOUNT_SCALE, field="credit")
    name = words["plan_name"]
    if name is not None:
        plan = plan_at(connection, None, name, at)
        left = plan.package_seconds
    else:
        account = customers.account(connection, words["account_id"])
        plan = plan_at(connection, account.id, None, at)
        left = packages.package(connection, account.id, plan, at).left if plan.package_seconds else 0
        if known is None:
            known = decimal_from_units(max(ledger.available(connection, account.id), 0))
    return plan, left if words["package_left"] is None else words["package_left"], known


def _side(
    connection: Connection,
    plan: Plan,
    role: LegRole,
    written: str,
    number: E164,
    at: datetime,
    wish: E164 | str | None,
    left: int,
) -> _Side:
    from calls.cdr import LegRole
    from rating.deck import NoRate
    from rating.origin import origin_class
    from rating.quote import QuotedLeg
    from rating.terms import Pins
    from store import authorisation
    from values.e164 import E164

    priced = authorisation.price_of(connection, plan, number, at)
    if isinstance(priced, NoRate):
        raise Stop(f"{priced}: no row, no call", REFUSED)
    if priced.rate.blocked:
        raise Stop(f"row {priced.rate.id} blocks {number}: it is not dialled", REFUSED)
    origin = origin_class(wish, number)
    shown = wish if isinstance(wish, E164) else None
    surcharge, route = priced.rate.surcharge(origin), "none"
    if isinstance(wish, str):
        route = "not asked for: no such caller ID leaves"
    else:
        routes = authorisation.routes_to(connection, plan, priced, at, wishes=(wish,))
        if routes.chosen:
            first = routes.chosen[0]
            origin, shown, route = first.origin, first.shown, first.trunk
            surcharge = routes.surcharge_per_minute
    in_package = role is LegRole.B and plan.covers(number.digits)
    pins = Pins(
        surcharge_per_minute=surcharge, in_package=in_package, package_seconds=left if in_package else 0
    )
    leg = QuotedLeg(number=number, rate=priced.rate, pins=pins)
    return _Side(role, written, leg, priced.band, priced.deck_id, shown, origin.value, route)


def _number(field: str, text: str, home_country: str | None) -> E164:
    from store import checks

    return checks.number(field, text, home_country)


def _destination(text: str, home_country: str | None) -> E164:
    from staff.dialled import destination_number

    return destination_number("to", text, home_country)


def _wish(text: str | None, number_a: E164) -> E164 | str | None:
    """What is to be shown: a number, nothing, or digits that are no number, to see what they would cost."""
    from values.e164 import E164
    from values.refusal import NumberRefused

    if text is None:
        return number_a
    if text == NONE:
        return None
    try:
        return E164.parse(text)
    except NumberRefused:
        return text


def _did(connection: Connection, text: str | None, number_a: E164) -> E164 | str | None:
    from store import customers
    from store.candidates import trigger_number_for

    if text is not None:
        return _wish(text, number_a)
    known = next((each for each in customers.list_numbers(connection) if each.number == number_a), None)
    return None if known is None else trigger_number_for(connection, known.subscriber_id, number_a)


def _show(made: _Quoted, output: str, *, explain: bool) -> None:
    import json

    currency = made.plan.currency
    charges = made.price.charges
    lines = [_line(side, charge, currency) for side, charge in zip(made.sides, charges, strict=True)]
    if output == "json":
        whole = {
            "plan": made.plan.id,
            "at": moment(made.at),
            "currency": currency,
            "legs": [
                {**line, **_details(side, charge), "steps": list(charge.steps)}
                for line, side, charge in zip(lines, made.sides, charges, strict=True)
            ],
            "total": decimal_amount(made.price.total, currency),
            "longest_talk_seconds": _longest_seconds(made),
        }
        click.echo(json.dumps(whole, indent=2))
        return
    show_rows(lines, LISTED, output, spare=SPARE)
    if output == "csv":
        return
    click.echo(f"Total: {currency} {decimal_amount(made.price.total, currency)} on plan {made.plan.id}")
    if made.longest is not None:
        click.echo(_longest_sentence(made))
    if explain:
        for side, charge in zip(made.sides, charges, strict=True):
            click.echo("\n" + "\n".join(_explained(side, charge, made.plan)))
    for side in made.sides:
        if side.route == "none":
            say(f"No trunk takes a call to {side.leg.number} now: see `dialback routes {side.leg.number}`.")


def _line(side: _Side, charge: Charge, currency: str) -> Row:
    from billing import printed

    return {
        "leg": side.role.value,
        "number": str(side.leg.number),
        "destination": charge.destination,
        "prefix": charge.prefix,
        "band": charge.band,
        "charged_seconds": charge.talk_seconds,
        "billed_seconds": charge.billed_seconds,
        "package_seconds": charge.package_seconds,
        "per_minute": printed.rates(charge.per_minute, charge.next_per_minute),
        "surcharge_per_minute": printed.rate(charge.surcharge_per_minute),
        "connect_fee": printed.rate(charge.connect_fee),
        "amount": decimal_amount(charge.amount, currency),
    }


def _details(side: _Side, charge: Charge) -> Row:
    return {
        "row": charge.rate_id,
        "deck": side.deck_id,
        "increments": f"{charge.first_increment_s}/{charge.next_increment_s}",
        "caller_id": None if side.caller_id is None else str(side.caller_id),
        "origin_class": side.origin,
        "route": side.route,
    }


def _explained(side: _Side, charge: Charge, plan: Plan) -> list[str]:
    shown = "no caller ID" if side.caller_id is None else f"caller ID {side.caller_id}"
    band = f"in band {side.band} of {plan.zone}" if side.band else "in no time band"
    return [
        f"{side.role} leg: {side.written!r} is {side.leg.number}",
        f"  deck {side.deck_id} is in force then, {band}; over trunk {side.route}",
        f"  {shown} is of class {side.origin} there",
        *(f"  {step}" for step in charge.steps),
    ]


def _longest_seconds(made: _Quoted) -> int | None:
    from rating.credit import LongestTalk

    return made.longest.seconds if isinstance(made.longest, LongestTalk) else None


def _longest_sentence(made: _Quoted) -> str:
    from rating.credit import LongestTalk

    found, currency = made.longest, made.plan.currency
    if isinstance(found, LongestTalk):
        return (
            f"Longest talk: {found.seconds} s, which cost {currency} {decimal_amount(found.cost, currency)}"
        )
    assert found is not None
    missing = decimal_amount(found.amount, currency)
    return f"Longest talk: none; {currency} {missing} are missing for the shortest"
