"""`dialback invoice …`: a month of an account, as a draft.

Reads: words of the command line; what store rows and [seller] say.
Gives: the click group `invoice`.
Knows nothing of: SQL, totals (billing/invoice.py), layouts (billing/render.py).
"""

from __future__ import annotations

import csv
import io
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, is_called_alone, pass_desk, say
from staff.inputs import Month
from staff.listing import CSV, JSON, TABLE

if TYPE_CHECKING:
    from billing.invoice import Invoice

PDF = "pdf"
MonthOf = tuple[int, int]


@click.group(invoke_without_command=True, epilog="Example: dialback invoice --month 2026-03 --output csv")
@click.option(
    "--month", type=Month(), metavar="YYYY-MM", help="In each account's zone.  [default: this month]"
)
@click.option("--output", type=click.Choice([TABLE, JSON, CSV]), default=TABLE, show_default=True)
@pass_desk
def invoice(desk: Desk, month: MonthOf | None, output: str) -> None:
    """Invoices: without a subcommand, those of all accounts for a month, as drafts."""
    if is_called_alone():
        from staff.drafts import drafts

        seller = desk.settings.seller.party()
        found = desk.read("draft invoices", drafts, month=month, now=desk.now(), seller=seller)
        if not found:
            say("No account had a plan in that month, so there is no invoice.")
        click.echo(_all(found, output), nl=False)


@invoice.command(epilog="Example: dialback invoice show acme --month 2026-03 --pdf acme-2026-03.pdf")
@click.argument("account_id", metavar="ACCOUNT")
@click.option(
    "--month", type=Month(), metavar="YYYY-MM", help="In the account's zone.  [default: this month]"
)
@click.option("--output", type=click.Choice([TABLE, JSON, CSV, PDF]), default=TABLE, show_default=True)
@click.option(
    "--pdf",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the PDF here as well.",
)
@pass_desk
def show(desk: Desk, account_id: str, month: MonthOf | None, output: str, pdf: Path | None) -> None:
    """Show an account's invoice of a month; until it is issued it is a draft without a number."""
    from staff.drafts import draft

    now = desk.now()
    if output == PDF and sys.stdout.isatty():
        raise click.UsageError("a PDF is no text: send it to a file, or name one with --pdf FILE")
    seller = desk.settings.seller.party()
    found = desk.read("draft invoice", draft, account_id, month=month, now=now, seller=seller)
    if pdf is not None:
        pdf.write_bytes(_pdf(found, now))
        say(f"{pdf} written")
    if output == PDF:
        click.echo(_pdf(found, now), nl=False)
    else:
        click.echo(_text(found, output), nl=False)


def _text(found: Invoice, output: str) -> str:
    from billing import render

    match output:
        case "json":
            return render.to_json(found)
        case "csv":
            return render.to_csv(found)
        case _:
            return render.to_table(found)


def _pdf(found: Invoice, now: datetime) -> bytes:
    from billing.render import to_pdf

    return to_pdf(found, created_at=now)


def _all(found: tuple[Invoice, ...], output: str) -> str:
    """All of them in one piece: pages of text, a JSON list, or one CSV whose first column is the account."""
    import json

    from billing import render
    from billing.document import document

    match output:
        case "json":
            return json.dumps([document(each) for each in found], ensure_ascii=False, indent=2) + "\n"
        case "csv":
            return _one_csv(found)
        case _:
            return f"\n{'=' * 100}\n\n".join(render.to_table(each) for each in found)


def _one_csv(found: tuple[Invoice, ...]) -> str:
    from billing import render

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("account", *render.CSV_COLUMNS))
    for each in found:
        rows = csv.reader(io.StringIO(render.to_csv(each)))
        next(rows)
        writer.writerows((each.account_id, *row) for row in rows)
    return text.getvalue()
