"""`dialback plan …`: price terms, in versions.

Reads: words of the command line; plans in the store.
Gives: the click group `plan`.
Knows nothing of: SQL, which terms are sound (rating/plan.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import Instant, output_option, reason_option, rows_output_option, together
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
PACKAGE_MINUTES_MAX = 60 * 24 * 366
FLAGS = {
    "first_increment_s": "first-increment",
    "next_increment_s": "next-increment",
    "free_below_seconds": "free-below",
    "margin_floor_percent": "margin-floor",
    "margin_floor_per_minute": "margin-floor-amount",
    "package_prefixes": "package-prefix",
    "overage_per_minute": "overage",
    "bands": "band",
}
"""The options whose names are not those of the plan's fields."""


@click.group()
def plan() -> None:
    """Plans: which deck an account pays by, and in what steps."""


def _term(flag: str, told: str, *, shown_as: str | None = None, **fields: Any) -> Any:
    """A term as an option; what it is by default stands in the help, unless nothing is."""
    return click.option(flag, metavar=shown_as, show_default="default" in fields, help=told, **fields)


def _whole(flag: str, default: int, told: str, shown_as: str = "SECONDS", most: int | None = None) -> Any:
    # Where a plan counts otherwise than people do, the bound is here: else the plan refuses what is too much.
    kind = int if most is None else click.IntRange(0, most)
    return _term(flag, told, type=kind, default=default, shown_as=shown_as)


def _priced(flag: str, told: str, **fields: Any) -> Any:
    return _term(flag, told, shown_as="AMOUNT", **fields)


terms_options = together(
    _term("--deck", "A deck of kind sell; its currency is the plan's.", shown_as="DECK", required=True),
    _whole("--first-increment", 30, "The least that is billed of an answered leg."),
    _whole("--next-increment", 1, "In what steps it is billed after that."),
    _term(
        "--a-leg-policy",
        "Which seconds of the call to the subscriber are paid.",
        type=click.Choice(POLICIES),
        default="from_accept",
    ),
    _priced("--connect-fee", "For each charged leg.", default="0"),
    _whole("--free-below", 0, "Legs shorter than this cost nothing."),
    _term("--zone", "Whose clock bands go by.", shown_as="ZONE", default="UTC"),
    click.option(
        "--band",
        "bands",
        multiple=True,
        metavar="NAME=DAYS HOURS",
        help="Hours with rows of their own in the deck: 'peak=Mo-Fr 08:00-20:00'. May be given again.",
    ),
    _priced("--call-price-min", "What each charged leg costs at least."),
    _priced("--call-price-max", "What each charged leg costs at most."),
    _whole("--amount-places", 4, "To what each leg's price is rounded, half-up.", "DECIMALS"),
    _priced("--monthly-fee", "What a month costs besides calls.", default="0"),
    _priced("--monthly-fee-waived-from", "No fee from so much of call charges on."),
    _whole("--package-minutes", 0, "Minutes a month that cost nothing.", "MINUTES", PACKAGE_MINUTES_MAX),
    _term(
        "--package-rolls-over/--package-lapses",
        "What becomes of minutes that are left when the month is over.",
        default=False,
    ),
    click.option(
        "--package-prefix",
        "package_prefixes",
        multiple=True,
        metavar="PREFIX",
        help="Destinations that the package pays for; all without it. May be given again.",
    ),
    _priced("--overage", "A minute beyond the package; the deck's rate without it."),
    _term("--follow-on-key", "#, ## or ###: a further call.", default="#"),
    _term("--in-call-key", "##, #, ### or '': ends a call that runs.", default="##"),
    _whole("--talk-seconds-max", 7200, "The longest talk, whatever the credit."),
    _term("--margin-floor", "No route that earns less is taken.", shown_as="PERCENT", default="0"),
    _priced("--margin-floor-amount", "Nor one that earns less than this a minute."),
)
"""Every term of a plan; what is left out takes the default."""


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
    from rating.plan import PlanRefused
    from values.money import AmountRefused

    author = desk.author(reason)
    if terms["monthly_fee_waived_from"] is not None and not terms["monthly_fee"].strip("0."):
        raise click.UsageError("--monthly-fee-waived-from: there is no --monthly-fee to waive; leave it out")
    try:
        made = desk.change("add plan", _add, _Terms(name, deck, terms), effective, author)
    except (PlanRefused, AmountRefused) as refused:
        flag = FLAGS.get(refused.field, refused.field).replace("_", "-")
        raise click.UsageError(str(refused).replace(refused.field, f"--{flag}", 1)) from None
    show_record(_record(made), output)
    for note in desk.read("read bands", _loose_bands, made):
        say(f"note   {note}")


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


def _loose_bands(connection: Connection, made: Plan) -> list[str]:
    """What hours only the plan has, or only its deck: one of them may be misspelt."""
    from store import staging
    from store.deckbands import bands_of_version

    newest = staging.standing(connection, made.deck_id)
    if newest is None:
        return []
    named, known = bands_of_version(connection, newest.id), {band.name for band in made.bands}
    told = []
    if only_deck := ", ".join(sorted(named - known)):
        told.append(f"{newest.name} has rows for the hours of {only_deck}, which no --band of the plan names")
    if only_plan := ", ".join(sorted(known - named)):
        told.append(f"{newest.name} has no row for the hours of {only_plan}: they are priced like all others")
    return told


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
