"""Papers that were issued, printed again: one form on standard output, or all of them into a folder.

Reads: the number of an invoice or credit note, what the store keeps of it.
Gives: the bytes as they were issued; options that both nouns share.
Knows nothing of: how a form is made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from staff.desk import Desk, say
from staff.listing import TABLE

PDF = "pdf"
FORMS = {"table": "txt", "json": "json", "csv": "csv", "pdf": "pdf", "html": "html", "xml": "xml"}
"""What --output calls a form, and what the store does."""


def paper_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --output and --folder."""
    folder = click.option(
        "--folder",
        type=click.Path(file_okay=False, path_type=Path),
        help="Write every form into this folder.",
    )
    output = click.option(
        "--output", type=click.Choice(list(FORMS)), default=TABLE, show_default=True, help="In which form."
    )
    return output(folder(command))


def print_paper(desk: Desk, number: str, output: str, folder: Path | None) -> None:
    """Print a form, or write all of them into the folder."""
    from store.papers import paper

    if folder is not None:
        _write_all(desk, number, folder)
        return
    refuse_bytes_on_a_terminal(output)
    click.echo(desk.read("read paper", paper, number, FORMS[output]), nl=False)


def write_missing(desk: Desk, number: str) -> None:
    """Write the papers of a credit note that has none yet."""
    from staff.paperworker import write_papers
    from store.papers import is_unwritten

    if desk.read("look for papers", is_unwritten, number):
        write_papers(desk.database, number)


def refuse_bytes_on_a_terminal(output: str) -> None:
    """Stop before a PDF is poured over somebody's screen."""
    if output == PDF and sys.stdout.isatty():
        raise click.UsageError("a PDF is no text: send it to a file, or name one with --pdf FILE")


def _write_all(desk: Desk, number: str, folder: Path) -> None:
    from store.errors import NotFound
    from store.papers import FORMS as KEPT
    from store.papers import paper

    folder.mkdir(parents=True, exist_ok=True)
    for form in KEPT:
        try:
            body = desk.read("read paper", paper, number, form)
        except NotFound as missing:
            if form != "xml":
                raise
            say(f"No xml: {missing}")  # not every invoice can be said by EN 16931
            continue
        target = folder / f"{number.replace('/', '-')}.{form}"
        target.write_bytes(body)
        click.echo(target)
