"""Every command there is, as values: what completion and man pages are written from.

Reads: the click commands below the door, each loaded.
Gives: Nodes in the order of the help.
Knows nothing of: shells, manuals.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import click

EXAMPLE = "Example: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A word that may be written, and what it is for."""

    word: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option with all its spellings. `values`: the words it takes; `is_path`: it takes a file."""

    words: tuple[str, ...]
    told: str
    takes_value: bool
    values: tuple[str, ...]
    is_path: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A command: the words that lead to it, what may follow."""

    words: tuple[str, ...]
    command: click.Command
    context: click.Context
    verbs: tuple[Choice, ...]
    options: tuple[Option, ...]
    takes_path: bool

    @property
    def path(self) -> str:
        """The words in one text, without the program's name."""
        return " ".join(self.words)

    @property
    def examples(self) -> tuple[str, ...]:
        """The commands that its help shows, each as it would be written."""
        told = (" ".join(each.split()) for each in (self.command.epilog or "").split("\n\n"))
        return tuple(each.removeprefix(EXAMPLE) for each in told if each.startswith(EXAMPLE))


def nodes(root: click.Command, name: str) -> Iterator[Node]:
    """The root and everything below it; `name` is what the program is called."""
    yield from _below((), root, click.Context(root, info_name=name, **root.context_settings))


def first_line(command: click.Command) -> str:
    """The sentence by which a list tells a command."""
    return (command.help or "").strip().partition("\n")[0]


def _below(words: tuple[str, ...], command: click.Command, context: click.Context) -> Iterator[Node]:
    found = {name: each for name, each in _subcommands(command, context) if not each.hidden}
    yield Node(
        words=words,
        command=command,
        context=context,
        verbs=tuple(Choice(word=name, told=first_line(each)) for name, each in found.items()),
        options=tuple(_options(command, context)),
        takes_path=any(
            isinstance(each, click.Argument) and isinstance(each.type, click.Path | click.File)
            for each in command.params
        ),
    )
    for name, each in found.items():
        yield from _below((*words, name), each, click.Context(each, info_name=name, parent=context))


def _subcommands(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield name, found


def _options(command: click.Command, context: click.Context) -> Iterator[Option]:
    for each in command.get_params(context):
        if isinstance(each, click.Option) and not each.hidden:
            kind = each.type
            yield Option(
                words=(*each.opts, *each.secondary_opts),
                told=(each.help or "").strip(),
                takes_value=not (each.is_flag or each.count),
                values=tuple(map(str, kind.choices)) if isinstance(kind, click.Choice) else (),
                is_path=isinstance(kind, click.Path | click.File),
            )
