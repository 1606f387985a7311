"""`dialback number …`: the telephones on which subscribers are called back.

Reads: words of the command line; numbers in the store.
Gives: the click group `number`.
Knows nothing of: SQL, how a number is read (values/e164.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import CONFLICT, REFUSED, Stop
from staff.inputs import (
    Instant,
    home_country_option,
    output_option,
    reason_option,
    required_reason_option,
    rows_output_option,
)
from staff.listing import Row, show_record, show_rows

if TYPE_CHECKING:
    from store.audit import Author
    from store.customers import RegisteredNumber
    from store.database import Connection
    from values.e164 import E164

LISTED = ("number", "account", "subscriber", "verified_at", "verified_by", "registered_at", "rung_until")
SPARE = ("registered_at", "verified_by")


@click.group()
def number() -> None:
    """Numbers: the telephones on which subscribers are called back."""


@number.command(epilog="Example: dialback number add anna '+44 7700 900123' --verified --reason 'called her'")
@click.argument("subscriber_id", metavar="SUBSCRIBER")
@click.argument("text", metavar="NUMBER")
@click.option("--verified", is_flag=True, help="You have checked that it is theirs; say how in --reason.")
@click.option(
    "--till",
    "rung_until",
    type=Instant(zoned=True),
    metavar="TIME",
    help="A traveller's number: rung before any other until then, and nobody's afterwards.",
)
@home_country_option
@reason_option
@output_option
@pass_desk
def add(
    desk: Desk,
    subscriber_id: str,
    text: str,
    *,
    verified: bool,
    rung_until: datetime | None,
    home_country: str | None,
    reason: str,
    output: str,
) -> None:
    """Register a number; it belongs to one account, and is rung only once it is verified.

    A national number is read as one of the subscriber's home country, or of --home-country.
    """
    if verified and not reason.strip():
        raise click.UsageError("--verified needs a --reason: say how it was checked")
    made = desk.change(
        "add number",
        _add,
        subscriber_id,
        text,
        home_country,
        verified=verified,
        rung_until=rung_until,
        author=desk.author(reason),
    )
    show_record(_line(made), output)


@number.command(
    epilog="Example: dialback number verify +447700900123 --call"
    "\n\nExample: dialback number verify +447700900123 --reason 'passport seen, called back'"
)
@click.argument("text", metavar="NUMBER")
@click.option("--call", is_flag=True, help="Let the running switch ring it and speak a code.")
@home_country_option
@reason_option
@output_option
@pass_desk
def verify(desk: Desk, text: str, *, call: bool, home_country: str | None, reason: str, output: str) -> None:
    """Prove that a number is its subscriber's: by a spoken code (--call), or on your own word (--reason).

    --call costs the account nothing. Who answers and presses a key hears seven digits; have them told to you
    and give them to `dialback number confirm` within ten minutes.
    """
    from store import checks, customers

    written = checks.number("number", text, home_country)
    if call:
        show_record(_order(desk, written, reason), output)
        return
    if not reason.strip():
        raise click.UsageError("say with --reason how you checked it, or have a code spoken with --call")
    made = desk.change("verify number", customers.verify_number, written, desk.author(reason))
    show_record(_line(made), output)


@number.command(epilog="Example: dialback number confirm +447700900123 4711081")
@click.argument("text", metavar="NUMBER")
@click.argument("code")
@home_country_option
@output_option
@pass_desk
def confirm(desk: Desk, text: str, code: str, home_country: str | None, output: str) -> None:
    """Take the code that a call spoke; from now on the number is rung. Exit code 4: it is not the code."""
    from store import checks, verification
    from values.spokencode import spoken_code

    written = checks.number("number", text, home_country)
    secret = desk.settings.agi.secret.get_secret_value().encode()
    outcome = desk.change(
        "confirm number",
        verification.confirm_number,
        written,
        code,
        code_of=lambda callback_id: spoken_code(secret, callback_id),
        author=desk.author(),
    )
    if isinstance(outcome, verification.CodeRefused):
        raise Stop(f"code: {outcome.sentence}", REFUSED)
    show_record(_line(outcome), output)


def _order(desk: Desk, number: E164, reason: str) -> Row:
    from calls.admission import AdmissionRefusal, Refused
    from calls.callback import callback_id
    from store import verification

    ordered = desk.change(
        "order code",
        verification.order_code,
        number,
        callback_id=callback_id(desk.new_id()),
        limits=desk.settings.switch.limits(),
        author=desk.author(reason),
    )
    if isinstance(ordered, Refused):
        code = CONFLICT if ordered.reason is AdmissionRefusal.DUPLICATE else REFUSED
        raise Stop(f"number: {number}: {ordered.sentence}", code)
    say(f"It rings within seconds. Then: dialback number confirm {number} CODE")
    return {"number": number, "callback": ordered.callback.id, "code_until": ordered.expires_at}


@number.command("list", epilog="Example: dialback number list --subscriber anna")
@click.option("--subscriber", "subscriber_id", metavar="SUBSCRIBER", help="Only this subscriber's.")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@rows_output_option
@pass_desk
def list_(desk: Desk, subscriber_id: str | None, account_id: str | None, output: str) -> None:
    """List registered numbers."""
    rows = desk.read("list numbers", _all, subscriber_id, account_id)
    show_rows(rows, LISTED, output, spare=SPARE, none="No number is registered.")


@number.command(epilog="Example: dialback number remove +447700900123 --reason 'sold the telephone'")
@click.argument("text", metavar="NUMBER")
@home_country_option
@required_reason_option
@pass_desk
def remove(desk: Desk, text: str, home_country: str | None, reason: str) -> None:
    """Take a number away; it is rung no more, and may be registered elsewhere."""
    from store import checks, customers

    written = checks.number("number", text, home_country)
    desk.change("remove number", customers.remove_number, written, desk.author(reason))
    say(f"{written} is registered no more.")


def _add(
    connection: Connection,
    subscriber_id: str,
    text: str,
    home_country: str | None,
    *,
    verified: bool,
    rung_until: datetime | None,
    author: Author,
) -> RegisteredNumber:
    from store import checks, customers

    owner = customers.subscriber(connection, subscriber_id)
    written = checks.number("number", text, home_country or owner.home_country)
    return customers.add_number(
        connection,
        subscriber_id=subscriber_id,
        number=written,
        author=author,
        verified=verified,
        rung_until=rung_until,
    )


def _all(connection: Connection, subscriber_id: str | None, account_id: str | None) -> list[Row]:
    from store import customers

    if subscriber_id is not None:
        customers.subscriber(connection, subscriber_id)
    if account_id is not None:
        customers.account(connection, account_id)
    return [
        _line(each)
        for each in customers.list_numbers(connection, subscriber_id)
        if account_id in (None, each.account_id)
    ]


def _line(known: RegisteredNumber) -> Row:
    return {
        "number": known.number,
        "account": known.account_id,
        "subscriber": known.subscriber_id,
        "verified_at": known.verified_at,
        "verified_by": known.verified_by,
        "registered_at": known.registered_at,
        "rung_until": known.rung_until,
    }
