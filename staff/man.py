"""`dialback man`: man pages of every command, written from the commands themselves.

Reads: every command there is (staff/tree.py).
Gives: the click command `man`.
Knows nothing of: what a command does.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say

if TYPE_CHECKING:
    from staff.tree import Node

PROGRAM = "dialback"
SECTION = 1
EXIT_CODES = (
    (0, "done"),
    (1, "an error"),
    (2, "wrong use"),
    (3, "not found"),
    (4, "refused by policy"),
    (5, "conflict"),
    (69, "unavailable"),
    (75, "try again later"),
    (78, "bad configuration"),
)


@click.command(epilog="Example: dialback man --folder ~/.local/share/man/man1")
@click.option(
    "--folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where the pages are written, one for each command.",
)
@click.pass_context
@pass_desk
def man(desk: Desk, context: click.Context, /, *, folder: Path) -> None:
    """Write a man page for every command; read one with `man dialback-account-add` or `man -l FILE`."""
    from importlib.metadata import version

    from staff.tree import nodes

    folder.mkdir(parents=True, exist_ok=True)
    day = f"{desk.now():%Y-%m-%d}"
    found = tuple(nodes(context.find_root().command, PROGRAM))
    for node in found:
        name = "-".join((PROGRAM, *node.words))
        page = page_of(node, version=version(PROGRAM), day=day)
        (folder / f"{name}.{SECTION}").write_text(page, encoding="utf-8")
    say(f"{len(found)} pages written into {folder}")


def page_of(node: Node, *, version: str, day: str) -> str:
    """The page of one command, in the language of man."""
    from click_man.man import ManPage

    from staff.tree import first_line

    command, path = node.command, " ".join((PROGRAM, *node.words))
    page = ManPage(path)
    page.version, page.date = version, day
    page.short_help = _safe(first_line(command))
    page.synopsis = _safe(" ".join(command.collect_usage_pieces(node.context)))
    page.description = "\n".join(_safe(line) for line in _lines(command.help or ""))
    page.options = [
        (_safe(words), _safe(" ".join(told.split())))
        for words, told in filter(
            None, (each.get_help_record(node.context) for each in command.get_params(node.context))
        )
    ]
    return str(page).rstrip() + "\n" + "\n".join(_rest(node)) + "\n"


def _rest(node: Node) -> list[str]:
    lines = []
    name = "-".join((PROGRAM, *node.words))
    if node.verbs:
        lines.append(".SH COMMANDS")
        for verb in node.verbs:
            lines += [".TP", rf"\fB{name}-{verb.word}\fP({SECTION})", _safe(verb.told)]
    if node.examples:
        lines += [".SH EXAMPLE" + "S" * (len(node.examples) > 1), ".nf", *map(_safe, node.examples), ".fi"]
    lines.append(".SH EXIT STATUS")
    for code, told in EXIT_CODES:
        lines += [".TP", str(code), told]
    if node.words:
        above = "-".join((PROGRAM, *node.words[:-1]))
        lines += [".SH SEE ALSO", rf"\fB{above}\fP({SECTION})"]
    return lines


def _lines(text: str) -> list[str]:
    from inspect import cleandoc

    return cleandoc(text).splitlines()


def _safe(text: str) -> str:
    """Text that man takes for text: no macro at the start of a line, no escape inside."""
    escaped = text.replace("\\", r"\e")
    return re.sub(r"^(?=[.'])", r"\\&", escaped)
