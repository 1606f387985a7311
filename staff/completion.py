"""`dialback completion bash|zsh|fish`: a script that completes nouns, verbs, options and their words.

Reads: every command there is (staff/tree.py).
Gives: the click command `completion`, which prints the script.
Knows nothing of: accounts and other rows.

The script is a table of words: no program runs when TAB is pressed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from staff.tree import Choice, Node, Option

PROGRAM = "dialback"


@click.command(
    epilog="Example: dialback completion bash > ~/.local/share/bash-completion/completions/dialback"
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, /, *, shell: str) -> None:
    """Print the script by which a shell completes our commands; save it where the shell looks for such.

    zsh: a file _dialback in a folder of $fpath. fish: ~/.config/fish/completions/dialback.fish. Print it anew
    after an update.
    """
    from staff.tree import nodes

    found = tuple(nodes(context.find_root().command, PROGRAM))
    click.echo(SCRIPTS[shell](found), nl=False)


def bash(found: Sequence[Node]) -> str:
    """The script for bash 4 and later; nothing beside bash is needed."""
    words = [f"        {_quoted(node.path)}) words={_quoted(' '.join(_words(node)))} ;;" for node in found]
    values = [
        f"        {_quoted(f'{node.path}|{word}')}) words={_quoted(' '.join(option.values))}; return ;;"
        for node in found
        for option in node.options
        if option.values
        for word in option.words
    ]
    paths = sorted(
        {word for node in found for option in node.options if option.is_path for word in option.words}
    )
    with_files = [node.path for node in found if node.takes_path]
    return BASH.format(
        name=PROGRAM,
        paths="|".join(map(_quoted, (node.path for node in found if node.path))),
        takers="|".join(_takers(found)),
        file_options="|".join(paths) or "--",
        words="\n".join(words),
        values="\n".join(values),
        with_files="|".join(map(_quoted, with_files)) or "--",
    )


def zsh(found: Sequence[Node]) -> str:
    """The script for zsh: the words with what each is for."""
    lines = []
    for node in found:
        told = [_told(each) for each in node.verbs] + [_option_told(each) for each in node.options]
        lines.append(f"        {_quoted(node.path)}) said=({' '.join(_quoted(each) for each in told)}) ;;")
    values = [
        f"        {_quoted(f'{node.path}|{word}')})"
        f" compadd -- {' '.join(map(_quoted, option.values))}; return ;;"
        for node in found
        for option in node.options
        if option.values
        for word in option.words
    ]
    return ZSH.format(
        name=PROGRAM,
        paths="|".join(map(_quoted, (node.path for node in found if node.path))),
        takers="|".join(_takers(found)),
        said="\n".join(lines),
        values="\n".join(values),
    )


def fish(found: Sequence[Node]) -> str:
    """The script for fish."""
    lines = [FISH.format(name=PROGRAM, takers=" ".join(_takers(found)), paths=_fish_paths(found))]
    for node in found:
        here = f"complete -c {PROGRAM} -n {_quoted(f'__{PROGRAM}_at {_quoted(node.path)}')}"
        lines += [f"{here} -a {_quoted(each.word)} -d {_quoted(each.told)}" for each in node.verbs]
        for option in node.options:
            longs = "".join(f" -l {word[2:]}" for word in option.words if word.startswith("--"))
            shorts = "".join(f" -s {word[1:]}" for word in option.words if not word.startswith("--"))
            taken = f" -x -a {_quoted(' '.join(option.values))}" if option.values else " -r"
            lines.append(
                f"{here}{longs}{shorts}{taken if option.takes_value else ''}"
                f"{' -F' if option.is_path else ''} -d {_quoted(option.told)}"
            )
        if node.takes_path:
            lines.append(f"{here} -F")
    return "\n".join(lines) + "\n"


SCRIPTS: dict[str, Callable[[Sequence[Node]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}


def _words(node: Node) -> list[str]:
    return [each.word for each in node.verbs] + [word for each in node.options for word in each.words]


def _takers(found: Sequence[Node]) -> list[str]:
    """Options that a value follows; the word after one is never a noun or a verb."""
    return sorted(
        {word for node in found for option in node.options if option.takes_value for word in option.words}
    )


def _fish_paths(found: Sequence[Node]) -> str:
    return " ".join(_quoted(node.path) for node in found if node.path)


def _told(choice: Choice) -> str:
    return f"{choice.word}:{_one_line(choice.told)}"


def _option_told(option: Option) -> str:
    return f"{option.words[0]}:{_one_line(option.told)}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace(":", " -")


def _quoted(text: str) -> str:
    """The text as one word of any of the three shells."""
    plain = " ".join(text.split())
    return "'" + re.sub(r"'", r"'\\''", plain) + "'"


BASH = """\
# bash completion for {name}; written by `{name} completion bash`.
_{name}_words() {{
    case "$1|$2" in
{values}
    esac
    case "$1" in
{words}
    esac
}}
_{name}() {{
    local word at="" words="" index
    local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}"
    for ((index = 1; index < COMP_CWORD; index++)); do
        case "${{COMP_WORDS[index-1]}}" in {takers}) continue ;; esac
        word="${{at:+$at }}${{COMP_WORDS[index]}}"
        case "$word" in {paths}) at="$word" ;; esac
    done
    case "$before" in {file_options})
        COMPREPLY=($(compgen -f -- "$current")); return ;;
    esac
    _{name}_words "$at" "$before"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    case "$at" in {with_files})
        [[ $current == -* ]] || COMPREPLY+=($(compgen -f -- "$current")) ;;
    esac
}}
complete -o filenames -F _{name} {name}
"""
ZSH = """\
#compdef {name}
# zsh completion for {name}; written by `{name} completion zsh`.
_{name}() {{
    local at="" word before="${{words[CURRENT-1]}}" index
    local -a said
    for ((index = 2; index < CURRENT; index++)); do
        case "${{words[index-1]}}" in ({takers}) continue ;; esac
        word="${{at:+$at }}${{words[index]}}"
        case "$word" in ({paths}) at="$word" ;; esac
    done
    case "$at|$before" in
{values}
    esac
    case "$before" in ({takers}) _files; return ;; esac
    case "$at" in
{said}
    esac
    _describe {name} said || _files
}}
_{name} "$@"
"""
FISH = """\
# fish completion for {name}; written by `{name} completion fish`.
function __{name}_at
    set -l at ''
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        if contains -- $word {takers}
            set skip 1
            continue
        end
        set -l longer (string trim -- "$at $word")
        if contains -- $longer {paths}
            set at $longer
        end
    end
    test "$at" = "$argv[1]"
end
complete -c {name} -f"""
