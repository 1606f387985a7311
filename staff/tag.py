"""`dialback tag …`: what calls are booked under, by keyed code or by destination.

Reads: words of the command line; tags in the store.
Gives: the click group `tag`.
Knows nothing of: SQL, which tag a call gets (store/tags.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import output_option, reason_option
from staff.listing import Row, show_record, show_rows

if TYPE_CHECKING:
    from store.database import Connection
    from store.tags import TagRow

LISTED = ("account", "code", "prefix", "tag")


@click.group()
def tag() -> None:
    """Cost tags: an employee, a client or a supplier, whom a call is for.

    A code is keyed after the number, if the account asks for it (`dialback account change ID --ask-tag`); a
    prefix tags all calls to the destinations that begin with it. Else a call has its subscriber's tag.
    """


def _digits_options(command: click.decorators.FC) -> click.decorators.FC:
    code = click.option("--code", metavar="DIGITS", help="Keyed by the caller after the number.")
    return code(click.option("--prefix", metavar="DIGITS", help="Of destinations, such as 4930.")(command))


@tag.command(
    epilog="Example: dialback tag add acme 'Client Miller' --code 4711"
    "\n\nExample: dialback tag add acme 'Supplier Tokyo' --prefix 813"
)
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("name", metavar="TAG")
@_digits_options
@reason_option
@output_option
@pass_desk
def add(
    desk: Desk,
    *,
    account_id: str,
    name: str,
    code: str | None,
    prefix: str | None,
    reason: str,
    output: str,
) -> None:
    """Let a code or a prefix mean a tag; the next call has it."""
    from store.tags import TagRow, add_tag

    digits = _one_of(code, prefix)
    wish = TagRow(account_id=account_id, digits=digits, tag=name, is_rule=code is None)
    show_record(_line(desk.change("add tag", add_tag, wish, desk.author(reason))), output)


@tag.command(epilog="Example: dialback tag remove acme --code 4711")
@click.argument("account_id", metavar="ACCOUNT")
@_digits_options
@reason_option
@pass_desk
def remove(desk: Desk, *, account_id: str, code: str | None, prefix: str | None, reason: str) -> None:
    """Let a code or a prefix mean nothing any more; what was booked stays booked."""
    from store.tags import remove_tag

    digits = _one_of(code, prefix)
    desk.change(
        "remove tag",
        remove_tag,
        account_id=account_id,
        digits=digits,
        is_rule=code is None,
        author=desk.author(reason),
    )
    say(f"{digits} means nothing any more.")


@tag.command("list", epilog="Example: dialback tag list acme")
@click.argument("account_id", metavar="ACCOUNT")
@output_option
@pass_desk
def list_(desk: Desk, account_id: str, output: str) -> None:
    """List the codes and prefixes of an account."""
    rows = desk.read("list tags", _all, account_id)
    show_rows(rows, LISTED, output, none="There is no tag.")


def _one_of(code: str | None, prefix: str | None) -> str:
    if (code is None) == (prefix is None):
        raise click.UsageError("name --code or --prefix, one of them")
    return code or prefix or ""


def _all(connection: Connection, account_id: str) -> list[Row]:
    from store import customers
    from store.tags import list_tags

    customers.account(connection, account_id)
    return [_line(each) for each in list_tags(connection, account_id)]


def _line(row: TagRow) -> Row:
    return {
        "account": row.account_id,
        "code": None if row.is_rule else row.digits,
        "prefix": row.digits if row.is_rule else None,
        "tag": row.tag,
    }
