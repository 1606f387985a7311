"""`dialback voucher …`: prepaid amounts behind sixteen digits.

Reads: words of the command line; a secret from the terminal or standard input; vouchers in the store.
Gives: the click group `voucher`; a file with the secrets of a new batch, once.
Knows nothing of: SQL, how a secret is drawn and hashed (billing/voucher.py).
"""

from __future__ import annotations

import csv
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import REFUSED, Stop
from staff.inputs import Instant, output_option, reason_option, required_reason_option, rows_output_option
from staff.listing import amount, show_record, show_rows
from staff.money import show_outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.vouchers import Batch, Voucher

LISTED = ("serial", "batch", "state", "amount", "currency", "expires_at", "account", "ended_at")
SPARE = ("ended_at",)


@click.group()
def voucher() -> None:
    """Vouchers: sixteen digits that are worth an amount once."""


@voucher.command(
    epilog="Example: dialback voucher make summer --count 100 --amount 10 --currency EUR --expires 2027-06-01"
    " --file summer.csv --reason 'order 12'"
)
@click.argument("batch_id", metavar="BATCH")
@click.option("--count", type=click.IntRange(1, 10_000), required=True, help="How many.")
@click.option("--amount", "text", required=True, metavar="AMOUNT", help="What each is worth.")
@click.option("--currency", required=True, metavar="CODE", help="Accounts in it may redeem them.")
@click.option("--expires", type=Instant(), required=True, metavar="TIME", help="When they end.")
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="A new file for serials and secrets: they are written there once, and nowhere else.",
)
@required_reason_option
@pass_desk
def make(
    desk: Desk,
    *,
    batch_id: str,
    count: int,
    text: str,
    currency: str,
    expires: datetime,
    path: Path,
    reason: str,
) -> None:
    """Make a batch of vouchers and export its secrets, this once.

    BATCH names it once and for all: given again with the same terms the command changes nothing.
    """
    from billing.voucher import RANDOM_BYTES, fingerprint, secret_of
    from store import vouchers
    from values.money import amount_units, money

    code = currency.upper()
    units = amount_units(money(text, code))
    batch = vouchers.Batch(id=batch_id, currency=code, units=units, count=count, expires_at=expires)
    if desk.read("find voucher batch", vouchers.find_batch, batch):
        say(f"Batch {batch_id!r} was made before and its secrets were exported then; nothing was changed.")
        return
    secrets = [secret_of(desk.chance(RANDOM_BYTES)) for _ in range(count)]
    hidden = not sys.stderr.isatty()
    with click.progressbar(secrets, label="Making vouchers", file=sys.stderr, hidden=hidden) as drawn:
        hashes = [fingerprint(secret) for secret in drawn]
    # Written before the commit: a batch whose secrets nobody has is worth nothing; a file without its batch
    # is taken away again.
    _export(path, batch, vouchers.serials(batch), secrets)
    try:
        is_new = desk.change("make vouchers", vouchers.add_batch, batch, hashes, desk.author(reason))
    except BaseException:
        path.unlink()
        raise
    if not is_new:
        path.unlink()
        raise Stop(f"batch: {batch_id!r} was made by somebody else just now; use another name", REFUSED)
    say(f"{count} vouchers of {text} {code} are in {path}. Their secrets cannot be shown again.")


@voucher.command(epilog="Example: dialback voucher redeem acme")
@click.argument("account_id", metavar="ACCOUNT")
@reason_option
@output_option
@pass_desk
def redeem(desk: Desk, account_id: str, reason: str, output: str) -> None:
    """Credit a voucher to an account. Its digits are asked for, or read from standard input.

    They are no argument: other users of this machine could read them there.
    """
    from billing.voucher import VoucherRefusal, fingerprint, typed
    from store import vouchers

    secret = typed(_digits())
    if isinstance(secret, VoucherRefusal):
        raise Stop(f"voucher: {secret.sentence}", REFUSED)
    found = desk.change(
        "redeem voucher", vouchers.redeem, account_id, fingerprint(secret), desk.author(reason)
    )
    if isinstance(found, VoucherRefusal):
        raise Stop(f"voucher: {found.sentence}", REFUSED)
    show_outcome(desk, account_id, found.outcome, output)


@voucher.command("list", epilog="Example: dialback voucher list --batch summer --state new")
@click.option("--batch", "batch_id", metavar="BATCH", help="Of this batch.")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Redeemed by it.")
@click.option("--state", type=click.Choice(["new", "redeemed", "void"]), help="In this state.")
@rows_output_option
@pass_desk
def list_(desk: Desk, batch_id: str | None, account_id: str | None, state: str | None, output: str) -> None:
    """List vouchers by serial; secrets are not known."""
    from store import vouchers

    desk.check_account(account_id)
    if batch_id is not None:
        desk.read("read batch", vouchers.check_batch, batch_id)
    found = desk.read(
        "list vouchers", vouchers.list_vouchers, batch_id=batch_id, account_id=account_id, state=state
    )
    show_rows([_row(each) for each in found], LISTED, output, spare=SPARE, none="There is no such voucher.")


@voucher.command(epilog="Example: dialback voucher void summer-00017 --reason 'stolen from the shop'")
@click.argument("serial", metavar="SERIAL")
@required_reason_option
@output_option
@pass_desk
def void(desk: Desk, serial: str, reason: str, output: str) -> None:
    """Let a voucher be worth nothing; one that was redeemed stays so."""
    from store import vouchers

    ended = desk.change("void voucher", vouchers.withdraw, serial, desk.author(reason))
    show_record(_row(ended), output)


def _digits() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Digits", hide_input=True, err=True))
    return sys.stdin.readline().strip()


def _export(path: Path, batch: Batch, serials: Sequence[str], secrets: Sequence[str]) -> None:
    from billing.voucher import printed

    worth, until = amount(batch.units, batch.currency), batch.expires_at.isoformat()
    # A new file, for us alone: secrets are money.
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="ascii", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("serial", "secret", "amount", "currency", "expires_at"))
        for serial, secret in zip(serials, secrets, strict=True):
            lines.writerow((serial, printed(secret), worth, batch.currency, until))
        file.flush()
        os.fsync(file.fileno())


def _row(each: Voucher) -> dict[str, object]:
    return {
        "serial": each.serial,
        "batch": each.batch_id,
        "state": each.state,
        "amount": amount(each.units, each.currency),
        "currency": each.currency,
        "expires_at": each.expires_at,
        "account": each.account_id,
        "ended_at": each.ended_at,
    }
