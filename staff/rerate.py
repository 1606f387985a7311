"""`dialback rerate`: price callbacks that ended anew, first to see, then to do.

Reads: words of the command line; callbacks, plans and decks in the store.
Gives: the click command `rerate`.
Knows nothing of: SQL, what is posted (billing/rerating.py).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click
from click import progressbar

from staff.desk import Desk, pass_desk, say
from staff.inputs import Month, output_option
from staff.listing import Row, amount, show_rows
from staff.ranges import ends_from, ends_options, zone_meant

if TYPE_CHECKING:
    from store.audit import Author
    from store.database import Connection
    from store.rerating import Chunk
    from store.reratingrows import Wish

COLUMNS = ("account", "currency", "callbacks", "repriced", "passed", "before", "after", "difference")
TOTAL = "TOTAL"
SHOWN_AT_ONCE, DONE_AT_ONCE = 4_000, 400
"""Callbacks in one transaction. While some are written down, calls that end wait: so fewer of them."""
PASSED_SHOWN_MAX = 50


@dataclass(slots=True)
class _Sum:
    callbacks: int = 0
    repriced: int = 0
    passed: int = 0
    before: int = 0
    after: int = 0


@dataclass(slots=True, kw_only=True)
class _Sums:
    """What the chunks came to, by account and currency."""

    by_account: dict[tuple[str, str], _Sum] = field(default_factory=dict)
    passed: Counter[str] = field(default_factory=Counter)
    named: list[str] = field(default_factory=list)

    def add(self, chunk: Chunk) -> None:
        for session in chunk.rows.sessions:
            self._of(session.account_id, session.currency).callbacks += 1
        for found in chunk.repriced:
            each = self._of(found.session.account_id, found.session.currency)
            each.repriced += 1
            each.before += found.session.outcome.total_units
            each.after += found.after.total_units
        for passed in chunk.passed:
            self._of(passed.session.account_id, passed.session.currency).passed += 1
            self.passed[passed.why] += 1
            if len(self.named) < PASSED_SHOWN_MAX:
                self.named.append(
                    f"{passed.session.callback_id} of {passed.session.account_id}: {passed.why}"
                )

    def rows(self) -> list[Row]:
        """One for each account, and one for each currency."""
        found = [
            _row(account, currency, each) for (account, currency), each in sorted(self.by_account.items())
        ]
        for currency in sorted({currency for _, currency in self.by_account}):
            parts = [each for (_, other), each in self.by_account.items() if other == currency]
            names = ("callbacks", "repriced", "passed", "before", "after")
            total = _Sum(*(sum(getattr(each, name) for each in parts) for name in names))
            found.append(_row(TOTAL, currency, total))
        return found

    def _of(self, account_id: str, currency: str) -> _Sum:
        return self.by_account.setdefault((account_id, currency), _Sum())


@click.command(epilog="Example: dialback rerate --month 2026-03 --account acme --deck retail:7")
@click.option("--month", type=Month(), metavar="YYYY-MM", help="Callbacks that ended in that month.")
@ends_options(begins="Callbacks that ended from then on.", ends="Callbacks that ended before then.")
@click.option("--account", "account_id", default="", metavar="ACCOUNT", help="Only this account's.")
@click.option("--on-plan", default="", metavar="PLAN", help="Only those that ran on this plan.")
@click.option(
    "--plan", default="", metavar="PLAN", help="Price by this plan, or NAME:VERSION.  [default: their own]"
)
@click.option(
    "--deck", default="", metavar="DECK", help="Price by this deck, or NAME:VERSION.  [default: the plan's]"
)
@click.option("--apply", "is_applied", is_flag=True, help="Write it into the books.")
@click.option("--reason", default="", help="Why; on each entry and in the audit log. Needed with --apply.")
@click.option("--reference", default="", help="Names this re-rating for ever. Needed with --apply.")
@output_option
@pass_desk
def rerate(
    desk: Desk,
    *,
    month: tuple[int, int] | None,
    since: datetime | None,
    until: datetime | None,
    zone: str | None,
    account_id: str,
    on_plan: str,
    plan: str,
    deck: str,
    is_applied: bool,
    reason: str,
    reference: str,
    output: str,
) -> None:
    """Price callbacks that ended anew; without --apply only to see what would change.

    A price that changes is taken back and posted again, on the day on which the callback ended; nothing is
    edited. Done twice, or taken up again after it was cut short, it gives the same books. Callbacks that are
    on an invoice, or that a credit note gave back of, are passed over and named.
    """
    from store.reratingrows import Wish

    if is_applied and not (reason.strip() and reference.strip()):
        raise click.UsageError("--apply needs --reason and --reference")
    if on_plan:
        desk.read("find plan", _check_plan, on_plan)
    since, until = ends_from(desk, since, until, zone, account_id or None)
    starts, ends = _span(month, since, until, zone_meant(desk, zone, account_id or None))
    wish = Wish(since=starts, until=ends, account_id=account_id, on_plan=on_plan, plan=plan, deck=deck)
    sums, author = _Sums(), desk.author(reason.strip())
    with progressbar(length=1_000, label="re-rating", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for chunk in _chunks(desk, wish, author, reference=reference if is_applied else ""):
            sums.add(chunk)
            if chunk.rows.last is not None:
                bar.update(int(1_000 * ((chunk.rows.last.ended_at - starts) / (ends - starts))) - bar.pos)
    _say(sums, is_applied=is_applied)
    show_rows(sums.rows(), COLUMNS, output, none="No callback ended then.")


def _check_plan(connection: Connection, name: str) -> None:
    from store import plans
    from store.errors import NotFound

    if not any(each.name == name for each in plans.list_plans(connection)):
        raise NotFound("on-plan", f"there is no plan {name!r}", "see `dialback plan list`, column name")


def _chunks(desk: Desk, wish: Wish, author: Author, *, reference: str) -> Iterator[Chunk]:
    """Every chunk, each from a transaction of its own; under a reference it is written down."""
    from store import rerated
    from store.rerating import Repricing

    repricing = desk.read("begin re-rating", Repricing, wish)
    if reference:
        desk.change("begin re-rating", rerated.begin, wish, reference=reference, author=author)
    after = None
    while True:
        if reference:
            chunk = desk.change(
                "re-rate",
                rerated.rerate_chunk,
                repricing,
                after,
                DONE_AT_ONCE,
                reference=reference,
                author=author,
            )
        else:
            chunk = desk.read("price anew", repricing.chunk, after, SHOWN_AT_ONCE)
        if not chunk.rows.sessions:
            return
        yield chunk
        after = chunk.rows.last


def _span(
    month: tuple[int, int] | None, since: datetime | None, until: datetime | None, zone: str
) -> tuple[datetime, datetime]:
    from billing.period import month as month_of

    if (month is None) == (since is None and until is None):
        raise click.UsageError("give --month, or --from and --till")
    if month is not None:
        period = month_of(*month, zone)
        return period.starts_at, period.ends_at
    if since is None or until is None or since >= until:
        raise click.UsageError("give both --from and --till, the first before the second")
    return since, until


def _say(sums: _Sums, *, is_applied: bool) -> None:
    for line in sums.named:
        say(line)
    unnamed = sum(sums.passed.values()) - len(sums.named)
    if unnamed > 0:
        say(f"and {unnamed:,} more")
    for why, count in sorted(sums.passed.items()):
        say(f"{count:,} passed over: {why}")
    if not is_applied:
        say("Nothing was written; --apply does it.")


def _row(account: str, currency: str, each: _Sum) -> Row:
    return {
        "account": account,
        "currency": currency,
        "callbacks": each.callbacks,
        "repriced": each.repriced,
        "passed": each.passed,
        "before": amount(each.before, currency),
        "after": amount(each.after, currency),
        "difference": amount(each.after - each.before, currency),
    }
