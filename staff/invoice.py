"""`dialback invoice …`: a month of an account: its draft, its close, what was issued.

Reads: words of the command line; what store rows, [seller] and [invoices] say.
Gives: the click group `invoice`.
Knows nothing of: SQL, totals (billing/totals.py), layouts (billing/render.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import rich_click as click
from click.exceptions import Exit

from staff.confirmation import remark
from staff.desk import Desk, is_called_alone, pass_desk, say
from staff.exits import OK, TEMPORARY
from staff.inputs import Month, output_option, reason_option, rows_output_option
from staff.listing import CSV, JSON, TABLE, amount, show_rows
from staff.paperprint import FORMS, PDF, paper_options, print_paper, refuse_bytes_on_a_terminal

if TYPE_CHECKING:
    from billing.invoice import Invoice
    from store.papers import Issued

MonthOf = tuple[int, int]
LISTED = ("number", "kind", "account", "month", "issued_on", "due_on", "currency", "total", "due", "corrects")
SPARE = ("issued_on", "kind")
NO_INVOICE = "No account had a plan in that month, so there is no invoice."
NO_DRAFT = "There is no draft: each account's invoice was issued, or it had no plan in that month."


@click.group(invoke_without_command=True, epilog="Example: dialback invoice --month 2026-03 --output csv")
@click.option(
    "--month", type=Month(), metavar="YYYY-MM", help="In each account's zone.  [default: this month]"
)
@click.option(
    "--output",
    type=click.Choice([TABLE, JSON, CSV]),
    default=TABLE,
    show_default=True,
    help="How to print: for people, or for programs.",
)
@click.option("--draft", "drafts_alone", is_flag=True, help="Only drafts: what was issued is left out.")
@pass_desk
def invoice(desk: Desk, month: MonthOf | None, output: str, *, drafts_alone: bool) -> None:
    """Invoices: without a subcommand, those of all accounts for a month: as issued, or drafts before.

    An account whose place has no tax rate is held and named, and the exit code is 75.
    """
    if is_called_alone():
        from staff.drafts import all_of_month

        settings = desk.settings
        found = desk.read(
            "invoices of all",
            all_of_month,
            FORMS[output],
            month=month,
            now=desk.now(),
            seller=settings.seller.party(),
            due_days=settings.invoices.due_days,
            drafts_alone=drafts_alone,
        )
        if not found.papers and not found.held:
            say(NO_DRAFT if drafts_alone else NO_INVOICE)
        click.echo(_all(found.papers, output), nl=False)
        for account_id, reason in found.held:
            say(f"Held: {account_id}: {reason}")
        if found.held:
            raise Exit(TEMPORARY)


@invoice.command(epilog="Example: dialback invoice show acme --month 2026-03 --pdf acme-2026-03.pdf")
@click.argument("account_id", metavar="ACCOUNT")
@click.option(
    "--month", type=Month(), metavar="YYYY-MM", help="In the account's zone.  [default: this month]"
)
@click.option(
    "--output", type=click.Choice(list(FORMS)), default=TABLE, show_default=True, help="In which form."
)
@click.option(
    "--pdf",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the PDF here as well.",
)
@pass_desk
def show(desk: Desk, account_id: str, month: MonthOf | None, output: str, pdf: Path | None) -> None:
    """Show an account's invoice of a month: as it was issued, or as a draft without a number before."""
    refuse_bytes_on_a_terminal(output)
    made = _paper_of_month(desk, account_id, month, output)
    if pdf is not None:
        pdf.write_bytes(_paper_of_month(desk, account_id, month, PDF))
        say(f"{pdf} written")
    click.echo(made, nl=False)


@invoice.command(epilog="Example: dialback invoice run --month 2026-03 --dry-run")
@click.option("--month", type=Month(), metavar="YYYY-MM", required=True, help="In each account's zone.")
@click.option("--account", "accounts", multiple=True, metavar="ACCOUNT", help="Only these; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Say what would be issued, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--papers/--no-papers", default=True, show_default=True, help="Write PDF and other forms.")
@click.option("--processes", type=click.IntRange(1, 64), help="How many write papers.  [default: one a core]")
@click.option("--reason", default="", help="Why; kept in the audit log.  [default: close of the month]")
@output_option
@click.pass_context
def run(
    context: click.Context,
    *,
    month: MonthOf,
    accounts: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    papers: bool,
    processes: int | None,
    reason: str,
    output: str,
) -> None:
    """Close a month: give invoices their numbers, post their entries, write their papers.

    It may be run again at any time: what is issued stays, what is missing is added. Accounts whose month is
    not over, or which have a callback under way, are held, and the exit code is 75.
    """
    from staff.billrun import run_month

    desk = context.find_object(Desk)
    assert desk is not None
    question = f"Issue the invoices of {month[0]}-{month[1]:02}? They cannot be taken back"
    desk.confirm(question, yes=yes or dry_run)
    code = run_month(
        desk,
        month,
        accounts=accounts,
        dry_run=dry_run,
        papers=papers,
        processes=processes,
        reason=reason or f"close of {month[0]}-{month[1]:02}",
        output=output,
    )
    if code != OK:
        context.exit(code)


@invoice.command(epilog="Example: dialback invoice send --month 2026-03")
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@click.option("--month", type=Month(), metavar="YYYY-MM", help="All of that month's.")
@reason_option
@pass_desk
def send(desk: Desk, *, numbers: tuple[str, ...], month: MonthOf | None, reason: str) -> None:
    """Put issued invoices into the queue of mail, each once; `dialback mail run` sends them."""
    from store import mails, papers

    if bool(numbers) == (month is not None):
        raise click.UsageError("name invoices, or a month with --month")
    if month is not None:
        found = desk.read("list invoices", papers.list_issued, first_day=date(*month, 1))
        numbers = tuple(each.number for each in found)
    queued = desk.change("queue mail", mails.queue, numbers, desk.author(reason))
    for number in queued.nowhere:
        say(f"{number}: its account has no address for mail; set one by `account change --email`")
    remark(desk, queued.accounts)
    click.echo(
        f"{len(queued.new)} queued, {len(queued.known)} known already, {len(queued.nowhere)} without address"
    )
    if queued.new:
        say("They wait until `dialback mail run` sends them.")


@invoice.command("list", epilog="Example: dialback invoice list --month 2026-03 --output csv")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this one's.")
@click.option("--month", type=Month(), metavar="YYYY-MM", help="Only that month's.")
@rows_output_option
@pass_desk
def list_invoices(desk: Desk, account_id: str | None, month: MonthOf | None, output: str) -> None:
    """List what was issued: invoices and credit notes, by number."""
    from store.papers import list_issued

    desk.check_account(account_id)
    first_day = None if month is None else date(*month, 1)
    found = desk.read("list invoices", list_issued, account_id=account_id, first_day=first_day)
    show_rows([_listed(each) for each in found], LISTED, output, spare=SPARE, none="Nothing was issued.")


@invoice.command("print", epilog="Example: dialback invoice print INV-2026-00042 --output pdf > invoice.pdf")
@click.argument("number")
@paper_options
@pass_desk
def print_again(desk: Desk, number: str, output: str, folder: Path | None) -> None:
    """Print an issued invoice or credit note again, byte for byte."""
    print_paper(desk, number, output, folder)


def _paper_of_month(desk: Desk, account_id: str, month: MonthOf | None, output: str) -> bytes:
    """The form as it was issued, or of the draft of now."""
    from staff.drafts import draft
    from store import accounts, papers

    now = desk.now()
    owner = desk.read("read account", accounts.account, account_id)
    today = now.astimezone(ZoneInfo(owner.zone)).date()
    first_day = date(*(month or (today.year, today.month)), 1)
    number = desk.read("find invoice", papers.number_of_month, account_id, first_day)
    if number:
        return desk.read("read paper", papers.paper, number, FORMS[output])
    seller, due_days = desk.settings.seller.party(), desk.settings.invoices.due_days
    found = desk.read(
        "draft invoice", draft, account_id, month=month, now=now, seller=seller, due_days=due_days
    )
    return _form(found, output, now)


def _form(found: Invoice, output: str, now: datetime) -> bytes:
    from billing import render

    match output:
        case "json":
            return render.to_json(found).encode()
        case "csv":
            return render.to_csv(found).encode()
        case "html":
            return render.to_html(found).encode()
        case "xml":
            return render.to_xml(found)
        case "pdf":
            return render.to_pdf(found, created_at=now)
        case _:
            return render.to_table(found).encode()


def _listed(each: Issued) -> dict[str, object]:
    # A credit note gives: nobody who sums a column should count it as asked for.
    sign, due_units = (-1, 0) if each.kind == "credit_note" else (1, each.due_units)
    return {
        "number": each.number,
        "kind": each.kind,
        "account": each.account_id,
        "month": f"{each.first_day:%Y-%m}",
        "issued_on": each.issued_on,
        "due_on": each.due_on,
        "currency": each.currency,
        "total": amount(sign * each.total_units, each.currency),
        "due": amount(due_units, each.currency),
        "corrects": each.corrects,
    }


def _all(found: Sequence[tuple[str, str]], output: str) -> str:
    """All of them in one piece: pages of text, a JSON list, or one CSV whose first column is the account."""
    import json

    match output:
        case "json":
            together = [json.loads(paper) for _, paper in found]
            return json.dumps(together, ensure_ascii=False, indent=2) + "\n"
        case "csv":
            return _one_csv(found)
        case _:
            return f"\n{'=' * 100}\n\n".join(paper for _, paper in found)


def _one_csv(found: Sequence[tuple[str, str]]) -> str:
    from billing.render import CSV_COLUMNS

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("account", *CSV_COLUMNS))
    for account_id, paper in found:
        rows = csv.reader(io.StringIO(paper))
        next(rows)
        writer.writerows((account_id, *row) for row in rows)
    return text.getvalue()
