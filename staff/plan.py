"""`dialback plan …`: price terms, in versions.

Reads: words of the command line; plans in the store.
Gives: the click group `plan`.
Knows nothing of: SQL, which terms are sound (rating/plan.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.inputs import Instant, output_option, reason_option, rows_output_option
from staff.listing import Row, decimal_amount, show_record, show_rows

if TYPE_CHECKING:
    from decimal import Decimal

    from rating.bands import Band
    from rating.plan import Plan
    from store.audit import Author
    from store.database import Connection

POLICIES = ("from_answer", "from_accept", "if_b_answered", "while_bridged", "free")
LISTED = (
    "id",
    "deck",
    "currency",
    "first_increment_s",
    "next_increment_s",
    "a_leg_policy",
    "connect_fee",
    "free_below_seconds",
    "talk_seconds_max",
)
SPARE = ("talk_seconds_max", "free_below_seconds")


@click.group()
def plan() -> None:
    """Plans: which deck an account pays by, and in what steps."""


def terms_options(command: Any) -> Any:
    """Every term of a plan as an option; what is left out takes the default."""
    for option in _TERMS[::-1]:
        command = option(command)
    return command


_TERMS = (
    click.option(
        "--deck", required=True, metavar="DECK", help="A deck of kind sell; its currency is the plan's."
    ),
    click.option(
        "--first-increment",
        type=int,
        default=30,
        show_default=True,
        metavar="SECONDS",
        help="The least that is billed of an answered leg.",
    ),
    click.option(
        "--next-increment",
        type=int,
        default=1,
        show_default=True,
        metavar="SECONDS",
        help="In what steps it is billed after that.",
    ),
    click.option(
        "--a-leg-policy",
        type=click.Choice(POLICIES),
        default="from_accept",
        show_default=True,
        help="Which seconds of the call to the subscriber are paid.",
    ),
    click.option(
        "--connect-fee", default="0", show_default=True, metavar="AMOUNT", help="For each charged leg."
    ),
    click.option(
        "--free-below",
        type=int,
        default=0,
        show_default=True,
        metavar="SECONDS",
        help="Legs shorter than this cost nothing.",
    ),
    click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="Whose clock bands go by."),
    click.option(
        "--band",
        "bands",
        multiple=True,
        metavar="NAME=DAYS HOURS",
        help="Hours with rows of their own in the deck: 'peak=Mo-Fr 08:00-20:00'. May be given again.",
    ),
    click.option("--call-price-min", metavar="AMOUNT", help="What each charged leg costs at least."),
    click.option("--call-price-max", metavar="AMOUNT", help="What each charged leg costs at most."),
    click.option(
        "--amount-places",
        type=int,
        default=4,
        show_default=True,
        metavar="DECIMALS",
        help="To what each leg's price is rounded, half-up.",
    ),
    click.option(
        "--monthly-fee",
        default="0",
        show_default=True,
        metavar="AMOUNT",
        help="What a month costs besides calls.",
    ),
    click.option(
        "--monthly-fee-waived-from", metavar="AMOUNT", help="No fee from so much of call charges on."
    ),
    click.option(
        "--package-minutes",
        type=int,
        default=0,
        show_default=True,
        metavar="MINUTES",
        help="Minutes a month that cost nothing.",
    ),
    click.option(
        "--package-rolls-over/--package-lapses",
        default=False,
        show_default=True,
        help="What becomes of minutes that are left when the month is over.",
    ),
    click.option(
        "--package-prefix",
        "package_prefixes",
        multiple=True,
        metavar="PREFIX",
        help="Destinations that the package pays for; all without it. May be given again.",
    ),
    click.option(
        "--overage", metavar="AMOUNT", help="A minute beyond the package; the deck's rate without it."
    ),
    click.option("--follow-on-key", default="#", show_default=True, help="#, ## or ###: a further call."),
    click.option(
        "--in-call-key", default="##", show_default=True, help="##, #, ### or '': ends a call that runs."
    ),
    click.option(
        "--talk-seconds-max",
        type=int,
        default=7200,
        show_default=True,
        metavar="SECONDS",
        help="The longest talk, whatever the credit.",
    ),
    click.option(
        "--margin-floor",
        default="0",
        show_default=True,
        metavar="PERCENT",
        help="No route that earns less is taken.",
    ),
    click.option(
        "--margin-floor-amount", metavar="AMOUNT", help="Nor one that earns less than this a minute."
    ),
)


@plan.command(
    epilog="Example: dialback plan add standard --deck retail --first-increment 30 --next-increment 1"
    "\n\nExample: dialback plan add office --deck retail --zone Europe/Berlin --band 'peak=Mo-Fr 08:00-20:00'"
    " --monthly-fee 24 --package-minutes 30 --overage 0.20"
)
@click.argument("name")
@terms_options
@click.option(
    "--effective",
    type=Instant(),
    metavar="TIME",
    help="From when it is in force.  [default: now; the first version: ever since]",
)
@reason_option
@output_option
@pass_desk
def add(
    desk: Desk, /, *, name: str, deck: str, effective: datetime | None, reason: str, output: str, **terms: Any
) -> None:
    """Write the first version of a plan, or the next one; what runs keeps the version it began with."""
    author = desk.author(reason)
    made = desk.change("add plan", _add, _Terms(name, deck, terms), effective, author)
    show_record(_record(made), output)


@plan.command(
    epilog="Example: dialback plan show standard\n\nExample: dialback plan show standard:1 --output json"
)
@click.argument("name", metavar="NAME[:VERSION]")
@output_option
@pass_desk
def show(desk: Desk, name: str, output: str) -> None:
    """Show the terms in force now, or those of one version."""
    show_record(_record(desk.read("show plan", _find, name, desk.now())), output)


@plan.command("list", epilog="Example: dialback plan list")
@rows_output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List every version of every plan."""
    from store import plans

    rows = [_record(each) for each in desk.read("list plans", plans.list_plans)]
    show_rows(rows, LISTED, output, spare=SPARE, none="There is no plan; make one with `dialback plan add`.")


def _find(connection: Connection, name: str, at: datetime) -> Plan:
    from store import plans

    return plans.plan(connection, name) if ":" in name else plans.plan_in_force(connection, name, at)


class _Terms(NamedTuple):
    """A plan as it was written on the command line."""

    name: str
    deck: str
    words: dict[str, Any]


def _add(connection: Connection, wanted: _Terms, effective_at: datetime | None, author: Author) -> Plan:
    from rating.plan import ALegPolicy, Plan
    from store import decks, plans
    from values.money import AMOUNT_SCALE, RATE_SCALE

    terms = wanted.words
    wish = Plan(
        id=wanted.name,
        name=wanted.name,
        version=1,
        currency=decks.deck_info(connection, wanted.deck).currency,
        deck_id=wanted.deck,
        first_increment_s=terms["first_increment"],
        next_increment_s=terms["next_increment"],
        free_below_seconds=terms["free_below"],
        a_leg_policy=ALegPolicy(terms["a_leg_policy"]),
        connect_fee=_number(terms["connect_fee"], RATE_SCALE, "connect_fee"),
        follow_on_key=terms["follow_on_key"],
        in_call_key=terms["in_call_key"],
        talk_seconds_max=terms["talk_seconds_max"],
        margin_floor_percent=_number(terms["margin_floor"], 2, "margin_floor"),
        margin_floor_per_minute=_optional(terms, "margin_floor_amount", RATE_SCALE),
        zone=terms["zone"],
        bands=_bands(terms["bands"]),
        call_price_min=_optional(terms, "call_price_min", AMOUNT_SCALE),
        call_price_max=_optional(terms, "call_price_max", AMOUNT_SCALE),
        amount_places=terms["amount_places"],
        monthly_fee=_number(terms["monthly_fee"], AMOUNT_SCALE, "monthly_fee"),
        monthly_fee_waived_from=_optional(terms, "monthly_fee_waived_from", AMOUNT_SCALE),
        package_seconds=terms["package_minutes"] * 60,
        package_rolls_over=terms["package_rolls_over"],
        package_prefixes=tuple(prefix.removeprefix("+") for prefix in terms["package_prefixes"]),
        overage_per_minute=_optional(terms, "overage", RATE_SCALE),
    )
    return plans.add_plan(connection, wish, effective_at=effective_at, author=author)


def _number(text: str, places: int, field: str) -> Decimal:
    from values.money import decimal_number

    # A sign is refused by the plan itself, where it cannot be meant.
    return decimal_number(text, places=places, field=field, signed=True)


def _optional(terms: dict[str, Any], field: str, places: int) -> Decimal | None:
    return None if terms[field] is None else _number(terms[field], places, field)


def _bands(texts: tuple[str, ...]) -> tuple[Band, ...]:
    from rating.bands import BandRefused, read_bands
    from rating.plan import PlanRefused

    try:
        return read_bands("; ".join(texts))
    except BandRefused as refused:
        raise PlanRefused("band", refused.value, refused.remedy) from None


def _record(known: Plan) -> Row:
    from billing import printed

    def rate(value: Decimal | None) -> str | None:
        return None if value is None else printed.rate(value)

    return {
        "id": known.id,
        "name": known.name,
        "version": known.version,
        "deck": known.deck_id,
        "currency": known.currency,
        "first_increment_s": known.first_increment_s,
        "next_increment_s": known.next_increment_s,
        "free_below_seconds": known.free_below_seconds,
        "a_leg_policy": known.a_leg_policy,
        "connect_fee": printed.rate(known.connect_fee),
        "zone": known.zone,
        "bands": tuple(str(band) for band in known.bands),
        "call_price_min": _amount(known.call_price_min, known.currency),
        "call_price_max": _amount(known.call_price_max, known.currency),
        "amount_places": known.amount_places,
        "monthly_fee": _amount(known.monthly_fee, known.currency),
        "monthly_fee_waived_from": _amount(known.monthly_fee_waived_from, known.currency),
        "package_seconds": known.package_seconds,
        "package_rolls_over": known.package_rolls_over,
        "package_prefixes": known.package_prefixes,
        "overage_per_minute": rate(known.overage_per_minute),
        "follow_on_key": known.follow_on_key,
        "in_call_key": known.in_call_key,
        "talk_seconds_max": known.talk_seconds_max,
        "margin_floor_percent": known.margin_floor_percent,
        "margin_floor_per_minute": rate(known.margin_floor_per_minute),
    }


def _amount(value: Decimal | None, currency: str) -> str | None:
    return None if value is None else decimal_amount(value, currency)
