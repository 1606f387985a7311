"""`dialback callback …`: ask for a callback, watch it, take it back.

Reads: words of the command line; callbacks in the store.
Gives: the click group `callback`.
Knows nothing of: SQL, Asterisk; the running switch finds what is asked in its inbox.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.discretion import seen
from staff.exits import CONFLICT, NOT_FOUND, REFUSED, TEMPORARY, Stop
from staff.inputs import Instant, home_country_option, rows_output_option
from staff.listing import CSV, JSON, show_record, show_rows
from staff.ranges import ends_from, ends_options

if TYPE_CHECKING:
    from calls.admission import Refused
    from calls.callback import Callback
    from calls.wishes import Request
    from store.database import Connection

ATTEMPTS_MAX = 5
"""The most attempts that one request may ask for."""
GAP_SECONDS_MAX = 86_400
CANCEL_SECONDS = 3.0
"""A running switch looks into its inbox many times a second; after this long none runs."""
LOOK_SECONDS = 0.05
STATES = (
    "requested",
    "dialing_a",
    "retry_wait",
    "collecting",
    "authorizing",
    "dialing_b",
    "talking",
    "releasing",
    "completed",
    "unanswered",
    "abandoned",
    "failed",
    "cancelled",
)


@click.group()
def callback() -> None:
    """Callbacks: ask for one, watch it, take it back."""


@callback.command(
    epilog="Example: dialback callback request --number +447700900123 --destination +493012345678"
    " --at 2027-03-01T08:15:00+01:00 --attempts 3"
)
@click.option(
    "--number", "number", required=True, help="A registered number: it is rung, and its account pays."
)
@click.option("--destination", help="Where to connect; without it the subscriber is asked.")
@click.option(
    "--at", type=Instant(zoned=True), metavar="TIME", help="When to ring, with its offset.  [default: now]"
)
@click.option(
    "--attempts",
    type=click.IntRange(1, ATTEMPTS_MAX),
    default=1,
    show_default=True,
    help="How often the number is rung while nobody answers.",
)
@click.option(
    "--gap",
    "gaps",
    type=click.IntRange(1, GAP_SECONDS_MAX),
    multiple=True,
    metavar="SECONDS",
    help="Before the next attempt; may be repeated, the last one holds for all later ones.",
)
@click.option("--reference", default="", help="Yours; it stands on the invoice.")
@click.option("--tag", default="", help="What its cost is booked under, such as a client.")
@home_country_option
@rows_output_option
@pass_desk
def request(
    desk: Desk,
    *,
    number: str,
    destination: str | None,
    at: datetime | None,
    attempts: int,
    gaps: tuple[int, ...],
    reference: str,
    tag: str,
    home_country: str | None,
    output: str,
) -> None:
    """Ask for a callback; the running switch rings within seconds.

    The country policy, credit and rates are asked as for any other request. Exit code 4: refused by them.
    """
    from calls.admission import Refused
    from calls.callback import OriginKind, callback_id
    from calls.wishes import Request
    from store import admissions, checks

    now = desk.now()
    if at is not None and at < now:
        raise click.BadParameter(f"{at:%Y-%m-%dT%H:%M:%SZ} is past", param_hint="--at")
    rung = checks.number("number", number, home_country)
    wish = Request(
        kind=OriginKind.CLI,
        number=rung,
        received_at=now,
        dial_at=at,
        attempts=attempts,
        retry_gaps_seconds=gaps,
        reference=checks.line("reference", reference, optional=True),
        tag=checks.line("tag", tag, optional=True),
    )
    limits, new_id = desk.settings.switch.limits(), callback_id(desk.new_id())

    def admit(connection: Connection) -> Callback:
        full = _with_destination(connection, wish, destination, home_country)
        made = admissions.admit_request(connection, full, callback_id=new_id, limits=limits)
        if isinstance(made, Refused):
            raise _refusal(made, wish)
        return made

    _show(desk, desk.change("request callback", admit), output)


@callback.command(epilog="Example: dialback callback show 01kz… --output json")
@click.argument("callback_id", metavar="ID")
@rows_output_option
@pass_desk
def show(desk: Desk, callback_id: str, output: str) -> None:
    """Show a callback, the live state of each leg, and at the end what it came to before tax.

    `amount` is the charge, `waived` is off it already, `credited` was given back since, `net` is the rest.
    """
    from store import callbacks

    _show(desk, desk.read("load callback", callbacks.load, callback_id), output)


@callback.command("list", epilog="Example: dialback callback list --account acme --live")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@click.option("--subscriber", "subscriber_id", metavar="SUBSCRIBER", help="Only this subscriber's.")
@click.option(
    "--state", "states", type=click.Choice(STATES), multiple=True, help="Only these; may be repeated."
)
@click.option("--live", is_flag=True, help="Only those that have not ended.")
@click.option("--number", metavar="NUMBER", help="On either leg.")
@ends_options(begins="Asked for from then on.", ends="Asked for before then.")
@click.option(
    "--last", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many, the newest."
)
@home_country_option
@rows_output_option
@pass_desk
def list_(
    desk: Desk,
    *,
    account_id: str | None,
    subscriber_id: str | None,
    states: tuple[str, ...],
    live: bool,
    number: str | None,
    since: datetime | None,
    until: datetime | None,
    zone: str | None,
    last: int,
    home_country: str | None,
    output: str,
) -> None:
    """List callbacks, the newest first."""
    from calls.callback import State
    from staff.standing import LISTED, SPARE, line
    from store import callbacks, checks, customers

    since, until = ends_from(desk, since, until, zone, account_id)
    if subscriber_id is not None:
        desk.read("read subscriber", customers.subscriber, subscriber_id)
    wanted = [State(name) for name in states or STATES if not (live and State(name).is_end)]
    found = desk.read(
        "list callbacks",
        callbacks.list_callbacks,
        account_id=account_id,
        subscriber_id=subscriber_id,
        states=wanted,
        since=since,
        until=until,
        number=None if number is None else checks.number("number", number, home_country),
        limit=last,
    )
    rows = seen(desk, [line(each) for each in found], action="callback.read", subject=account_id or "")
    show_rows(rows, LISTED, output, spare=SPARE, none="There is no such callback.")


@callback.command(epilog="Example: dialback callback cancel 01kz…")
@click.argument("callback_id", metavar="ID")
@pass_desk
def cancel(desk: Desk, callback_id: str) -> None:
    """Take back a callback that waits; exit code 5 once it is dialled or has ended."""
    from calls.callback import State
    from store import callbacks

    desk.change("cancel callback", _cancel, callback_id, f"staff {desk.who}")
    for _ in range(round(CANCEL_SECONDS / LOOK_SECONDS)):
        state = desk.read("load callback", callbacks.load, callback_id).state
        if state is State.CANCELLED:
            click.echo(f"Callback {callback_id} is cancelled; nobody is rung.")
            return
        if state.is_end:
            problem = f"{callback_id} ended meanwhile ({state})"
            raise Stop(f"callback: {problem}; nothing is left to cancel", CONFLICT)
        desk.pause(LOOK_SECONDS)
    say("No switch runs now; start `dialback serve`: it cancels it before it would be rung.")
    say("Until then the account's month stays open.")
    click.echo(f"Callback {callback_id} is to be cancelled.")


@callback.command(epilog="Example: dialback callback trace 01kz…")
@click.argument("callback_id", metavar="ID")
@rows_output_option
@pass_desk
def trace(desk: Desk, callback_id: str, output: str) -> None:
    """Tell a callback's whole story, each event with its time to the microsecond."""
    from staff.story import COLUMNS, SPARE, story
    from store import callbacks

    lines = desk.read("trace callback", callbacks.trace, callback_id)
    rows = seen(desk, story(lines), action="callback.read", subject=callback_id)
    show_rows(rows, COLUMNS, output, spare=SPARE)


def _with_destination(
    connection: Connection, wish: Request, destination: str | None, home_country: str | None
) -> Request:
    from staff.dialled import destination_number

    if destination is None:
        return wish
    home = home_country or _home_of(connection, wish)
    return replace(wish, destination=destination_number("destination", destination, home))


def _home_of(connection: Connection, wish: Request) -> str | None:
    """How the subscriber who is rung writes national numbers."""
    from store import customers

    owner = next((each for each in customers.list_numbers(connection) if each.number == wish.number), None)
    return None if owner is None else customers.subscriber(connection, owner.subscriber_id).home_country


def _refusal(refused: Refused, wish: Request) -> Stop:
    from calls.admission import AdmissionRefusal

    match refused.reason:
        case AdmissionRefusal.UNKNOWN_CALLER:
            remedy = "register it with `dialback number add`"
            return Stop(f"number: {wish.number} is registered with no account; {remedy}", NOT_FOUND)
        case AdmissionRefusal.DUPLICATE:
            code = CONFLICT
        case AdmissionRefusal.STOPPING:
            code = TEMPORARY
        case _:
            code = REFUSED
    return Stop(f"number: {wish.number}: {refused.sentence}", code)


def _cancel(connection: Connection, callback_id: str, by: str) -> None:
    from calls.callback import WAITING
    from store import callbacks
    from store.errors import Conflict

    known = callbacks.load(connection, callback_id)
    if not known.state.is_end and known.state not in WAITING:
        problem = f"callback {callback_id} is under way already ({known.state})"
        raise Conflict("callback", problem, "only a callback that waits can be taken back: let it end")
    callbacks.request_cancel(connection, callback_id, by)


def _show(desk: Desk, known: Callback, output: str) -> None:
    from staff.standing import LEGS, LEGS_SPARE, cost, leg_rows, record
    from store.outcomes import total_of

    came_to = cost(desk.read("read what it came to", total_of, known.id))
    whole = {**record(known), **came_to}
    told, *legs = seen(desk, [whole, *leg_rows(known)], action="callback.read", subject=known.id)
    if output == CSV:
        rows = [{"callback": known.id, "state": known.state, **leg} for leg in legs]
        show_rows(rows, ("callback", "state", *LEGS), output)
        return
    if output == JSON:
        show_record({**told, "legs": legs}, output)
        return
    show_record({name: value for name, value in told.items() if value not in (None, "")}, output)
    if legs:
        click.echo()
        show_rows(legs, LEGS, output, spare=LEGS_SPARE)
    elif not known.state.is_end:
        say("Nobody is dialled yet.")
