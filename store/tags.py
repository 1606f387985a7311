"""Cost tags: under what a call is booked, be it an employee, a client or a supplier.

Reads: what the clerk asks for; rows of `tag_codes` and `tag_rules`; a callback.
Gives: the tag of a leg; codes and rules made and taken away.
Knows nothing of: how a code is keyed (ivr/dialog.py), who adds the legs up (reports, invoices).

The more exact wins: the code that was keyed, the tag that came with the request, the rule of the longest
prefix, the subscriber's own. A leg that none of them names is untagged, which is a group of its own.
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select

from calls.callback import Callback
from store import checks
from store.accounts import account
from store.audit import Author, note
from store.customertables import tag_codes, tag_rules
from store.errors import Conflict, Invalid, NotFound
from store.schema import subscribers
from values.e164 import E164

CODE_DIGITS_MAX = 12
PREFIX_DIGITS_MAX = 15
_CODE = re.compile(rf"[0-9]{{1,{CODE_DIGITS_MAX}}}")
_PREFIX = re.compile(rf"[1-9][0-9]{{0,{PREFIX_DIGITS_MAX - 1}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRow:
    """A keyed code, or a prefix of destinations (`is_rule`), and the tag that it means."""

    account_id: str
    digits: str
    tag: str
    is_rule: bool


def tag_of_destination(connection: Connection, callback: Callback, number: E164, keyed: str) -> str:
    """Under what a call to that number is booked; empty: untagged."""
    if keyed or callback.origin.tag:
        return keyed or callback.origin.tag
    rules: dict[str, str] = {
        row.prefix: row.tag for row in connection.execute(RULES, {"account_id": callback.account_id})
    }
    digits = number.digits
    longest = max((prefix for prefix in rules if digits.startswith(prefix)), key=len, default="")
    return rules[longest] if longest else tag_of_subscriber(connection, callback)


def tag_of_subscriber(connection: Connection, callback: Callback) -> str:
    """Under what a callback is booked of which nothing more is known."""
    if callback.origin.tag:
        return callback.origin.tag
    found: str | None = connection.execute(OWN, {"subscriber_id": callback.subscriber_id}).scalar()
    return found or ""


def add_tag(connection: Connection, wish: TagRow, author: Author) -> TagRow:
    """Let a keyed code or a prefix mean a tag; the same once more changes nothing."""
    account(connection, wish.account_id)
    form, field = (_PREFIX, "prefix") if wish.is_rule else (_CODE, "code")
    if not form.fullmatch(wish.digits):
        remedy = (
            "write the digits of an international number without +, such as 4930"
            if wish.is_rule
            else f"write 1 to {CODE_DIGITS_MAX} digits"
        )
        raise Invalid(field, f"{wish.digits!r} is refused", remedy)
    tag = checks.tag("tag", checks.line("tag", wish.tag))
    known = next(
        (
            each
            for each in list_tags(connection, wish.account_id)
            if (each.digits, each.is_rule) == (wish.digits, wish.is_rule)
        ),
        None,
    )
    if known is not None and known.tag != tag:
        raise Conflict(field, f"{wish.digits} means {known.tag!r} already", "remove it first")
    if known is None:
        row = {"account_id": wish.account_id, field: wish.digits, "tag": tag}
        connection.execute(insert(tag_rules if wish.is_rule else tag_codes), row)
        note(connection, author, f"tag.add_{field}", wish.account_id, after=row)
    return TagRow(account_id=wish.account_id, digits=wish.digits, tag=tag, is_rule=wish.is_rule)


def remove_tag(
    connection: Connection, *, account_id: str, digits: str, is_rule: bool, author: Author
) -> None:
    """Let a code or prefix mean nothing any more; what was booked under its tag stays so."""
    table, field = (tag_rules, "prefix") if is_rule else (tag_codes, "code")
    this = (table.c.account_id == account_id) & (table.c[field] == digits)
    known = connection.execute(select(table).where(this)).mappings().first()
    if known is None:
        raise NotFound(field, f"{digits!r} means nothing", "see `dialback tag list`")
    connection.execute(delete(table).where(this))
    note(connection, author, f"tag.remove_{field}", account_id, before=dict(known))


def list_tags(connection: Connection, account_id: str) -> tuple[TagRow, ...]:
    """The codes of an account in order, then its rules."""
    named = {"account_id": account_id}
    found = [
        TagRow(account_id=account_id, digits=row.code, tag=row.tag, is_rule=False)
        for row in connection.execute(CODES, named)
    ]
    rules = connection.execute(RULES.order_by(tag_rules.c.prefix), named)
    found += [TagRow(account_id=account_id, digits=row.prefix, tag=row.tag, is_rule=True) for row in rules]
    return tuple(found)


CODES = (
    select(tag_codes.c.code, tag_codes.c.tag)
    .where(tag_codes.c.account_id == bindparam("account_id"))
    .order_by(tag_codes.c.code)
)
RULES = select(tag_rules.c.prefix, tag_rules.c.tag).where(tag_rules.c.account_id == bindparam("account_id"))
OWN = select(subscribers.c.tag).where(subscribers.c.id == bindparam("subscriber_id"))
