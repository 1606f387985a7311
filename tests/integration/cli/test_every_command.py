"""Rules that every command keeps, walked over the tree of commands: a new one keeps them too."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import click
import pytest
from office import Office

import cli
from staff import exits
from staff.completion import SCRIPTS
from staff.tree import Node, nodes

ROOT = Path(__file__).parents[3]
NODES = {node.path: node for node in nodes(cli.dialback, "dialback")}
LEAVES = {path: node for path, node in NODES.items() if not node.verbs}
OURS = {path: node for path, node in LEAVES.items() if not path.startswith("pbx ")}
HEAVY = {
    *("sqlalchemy", "twisted", "pydantic", "phonenumbers", "moneyed", "structlog", "typst", "alembic"),
    *("openpyxl", "lxml", "numpy", "jinja2", "babel"),
}
"""What takes long to load: no help needs it."""
MOVES_MONEY = {"payment", "top-up", "refund", "write-off", "credit-note", "voucher", "dispute", "adjustment"}
ONCE_BY_ITSELF = {
    "voucher make": "its batch is its reference",
    "voucher redeem": "the voucher itself is taken once",
    "dispute open": "moves no money; one dispute of a leg is open at a time",
    "dispute reject": "moves no money; a dispute is decided once",
}
STREAMS = {"rate"}
"""Made for files of millions of lines, of which nobody wants a table."""
FORMS = ("table", "json", "csv")
ANOTHER_NAME = {
    "--since": "--from",
    "--until": "--till",
    "--to": "--till, or --subscriber and the like for a person",
    "--start": "--from",
    "--end": "--till",
    "--out": "--file",
    "--out-file": "--file",
    "--dir": "--folder",
    "--directory": "--folder",
    "--json": "--output json",
    "--why": "--reason",
    "--ref": "--reference",
    "--force": "--yes",
    "--confirm": "--yes",
    "--dryrun": "--dry-run",
    "--customer": "--account",
}
"""One thing has one name, on every command."""
SPEAKING = ("billing", "calls", "pbx", "rating", "staff", "store", "switch", "values", "web", "demo")
ALLOWED = {("rate", "--to"), ("quote", "--to")}
PRICED_WORDS = re.compile(r"secret|password|pin\b", re.IGNORECASE)


def wants_reason(node: Node) -> bool:
    """Whether it refuses to be given without one."""
    return any(each.name == "reason" and each.required for each in node.command.params)


LISTS_OF_AN_ACCOUNT = [
    path
    for path, node in LEAVES.items()
    if any("--account" in option.words for option in node.options)
    and path.split()[-1]
    in {"list", "open", "ageing", "unbilled", "usage", "margin", "quality", "funnel", "stats"}
]


@pytest.mark.parametrize("path", LEAVES)
def test_the_help_shows_an_example_that_the_command_would_take(path: str) -> None:
    shown = LEAVES[path].examples
    assert shown, f"dialback {path}: its epilog has no example"
    for example in shown:
        program, *words = shlex.split(example)
        assert program == "dialback"
        if words[0] == "--config":
            words = words[2:]
        assert " ".join(words).startswith(path), example
        known = {word for option in LEAVES[path].options for word in option.words}
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known, example


def test_every_command_that_a_sentence_of_ours_names_is_there() -> None:
    for file in (each for floor in SPEAKING for each in (ROOT / floor).rglob("*.py")):
        for told in re.findall(r"`dialback ((?:[a-z-]+ ?)+)", file.read_text(encoding="utf-8")):
            words = told.split()
            named = max(count for count in range(len(words) + 1) if " ".join(words[:count]) in NODES)
            node = NODES[" ".join(words[:named])]
            assert named == len(words) or words[named].startswith("-") or not node.verbs, (file.name, told)


@pytest.mark.parametrize("path", NODES)
def test_every_option_says_what_it_is_for(path: str) -> None:
    silent = [option.words[0] for option in NODES[path].options if not option.told]
    assert not silent, f"dialback {path}"
    command = NODES[path].command
    assert (command.help or "").strip(), f"dialback {path} says nothing"
    assert (command.help or "").strip().splitlines()[0].rstrip().endswith((".", ":", ";", "."))


@pytest.mark.timeout(600)
def test_no_help_loads_what_takes_long() -> None:
    ask = (
        "import os, sys, cli\n"
        "for words in sys.argv[1:]:\n"
        "    if os.fork() == 0:\n"
        "        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)\n"
        "        code = cli.run([*words.split(), '--help'])\n"
        f"        found = sorted({HEAVY!r} & set(sys.modules))\n"
        "        sys.stderr.write(f'{words}: {code} {found}\\n' if code or found else '')\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", ask, *OURS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stderr == ""


@pytest.mark.parametrize("path", LEAVES)
def test_one_thing_has_one_name(path: str) -> None:
    for option in LEAVES[path].options:
        for word in option.words:
            assert re.fullmatch(r"--[a-z]+(-[a-z]+)*|-[a-z]", word), f"dialback {path} {word}"
            if (path, word) not in ALLOWED:
                assert word not in ANOTHER_NAME, f"dialback {path}: write {ANOTHER_NAME[word]}, not {word}"


def test_an_option_takes_a_value_everywhere_or_nowhere() -> None:
    found: dict[str, dict[bool, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path, node in NODES.items():
        for option in node.options:
            for word in option.words:
                found[word][option.takes_value].append(path)
    assert {word: dict(kinds) for word, kinds in found.items() if len(kinds) > 1} == {}


@pytest.mark.parametrize("path", LEAVES)
def test_output_is_a_table_for_people_and_json_or_csv_for_programs(path: str) -> None:
    outputs = [option.values for option in LEAVES[path].options if "--output" in option.words]
    if path not in STREAMS:
        assert all(values[:3] in {FORMS, FORMS[:2]} for values in outputs), path
    if path.rpartition(" ")[2] in {"list", "show"}:
        assert outputs, f"dialback {path} has no --output"


@pytest.mark.parametrize("path", LISTS_OF_AN_ACCOUNT)
def test_an_account_that_is_nobodys_is_an_error_and_not_an_empty_list(path: str, office: Office) -> None:
    refused = office(*path.split(), "--account", "nobody")
    assert refused.code == exits.NOT_FOUND
    assert "there is no account 'nobody'" in refused.err
    assert refused.out == ""


@pytest.mark.parametrize("path", [path for path in LEAVES if wants_reason(LEAVES[path])])
def test_a_reason_that_says_nothing_is_none(path: str, office: Office) -> None:
    words = shlex.split(LEAVES[path].examples[0])[1:]
    words[words.index("--reason") + 1] = " "
    refused = office(*words)
    assert refused.code == exits.USAGE
    assert "it is empty; say why" in refused.err


@pytest.mark.parametrize("path", [path for path in LEAVES if path.split()[0] in MOVES_MONEY])
def test_what_moves_money_takes_a_reference_and_a_reason(path: str) -> None:
    if path.rpartition(" ")[2] in {"list", "show", "export", "print"}:
        return
    words = {word for option in LEAVES[path].options for word in option.words}
    arguments = {each.name for each in LEAVES[path].command.params if isinstance(each, click.Argument)}
    assert "--reason" in words, path
    has_reference = "--reference" in words or arguments & {"reference", "number", "serial"}
    assert has_reference or path in ONCE_BY_ITSELF, path


def test_F098_no_help_tells_a_secret_or_offers_one_as_an_option() -> None:
    for path, node in NODES.items():
        for option in node.command.params:
            if isinstance(option, click.Option) and PRICED_WORDS.search(option.name or ""):
                # A secret on a command line is read by everybody in the list of processes.
                assert option.is_flag or isinstance(option.type, click.Path | click.File), (
                    f"{path} {option.name}"
                )
                assert not option.show_default


@pytest.mark.parametrize("path", [path for path in NODES if path and NODES[path].verbs])
def test_a_noun_alone_shows_what_it_can_do(path: str, office: Office) -> None:
    told = office(*path.split(), "--help")
    assert told.code == exits.OK
    for verb in NODES[path].verbs:
        assert verb.word in told.out


# completion, manual


def test_completion_by_bash_offers_nouns_verbs_options_and_their_words(tmp_path: Path) -> None:
    script = tmp_path / "dialback.bash"
    script.write_text(SCRIPTS["bash"](tuple(NODES.values())))
    ask = (
        f'source "{script}"\n'
        'try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _dialback\n'
        'echo "${COMPREPLY[*]}"; }\n'
        "try dialback acc\n"
        "try dialback report usage --by d\n"
        "try dialback --config account report mar\n"
        "try dialback account nonsense\n"
    )
    said = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["account", "day destination", "margin", ""]
    assert said.stderr == ""


def test_completion_by_bash_offers_every_word_of_every_command(tmp_path: Path) -> None:
    script = tmp_path / "dialback.bash"
    script.write_text(SCRIPTS["bash"](tuple(NODES.values())))
    lines = [f'source "{script}"']
    for path in NODES:
        words = [*path.split(), ""]
        quoted = " ".join(map(shlex.quote, ["dialback", *words]))
        lines.append(
            f"COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; COMPREPLY=(); _dialback\n"
            'echo "${COMPREPLY[*]}"'
        )
    said = subprocess.run(
        ["bash"], input="\n".join(lines), capture_output=True, text=True, check=True, cwd=tmp_path
    )
    for node, line in zip(NODES.values(), said.stdout.splitlines(), strict=True):
        expected = [each.word for each in node.verbs] + [word for each in node.options for word in each.words]
        offered = line.split()
        assert set(expected) <= set(offered), node.path


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_understand_their_script(shell: str, tmp_path: Path) -> None:
    script = tmp_path / f"dialback.{shell}"
    script.write_text(SCRIPTS[shell](tuple(NODES.values())))
    assert all(node.path in script.read_text() for node in NODES.values())
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed here")
    assert subprocess.run([program, "-n", str(script)], capture_output=True, check=False).returncode == 0


def test_completion_is_printed_by_its_command(office: Office) -> None:
    for shell, write in SCRIPTS.items():
        assert office.done("completion", shell).out == write(tuple(NODES.values()))


def test_there_is_a_man_page_of_every_command(office: Office) -> None:
    folder = office.folder / "man1"
    office.done("man", "--folder", str(folder))
    pages = {page.stem: page.read_text() for page in folder.glob("*.1")}
    assert set(pages) == {"-".join(("dialback", *node.words)) for node in NODES.values()}
    for name, page in pages.items():
        named = re.findall(r"\\fB([a-z -]+)(?:\\fP)?\(1\)", page)
        assert set(named) <= set(pages), name
        assert r"\fB\-h,\fP \-\-help" in page, name
    for path, node in LEAVES.items():
        page = pages["-".join(("dialback", *node.words))]
        assert ".SH EXIT STATUS" in page, path
        assert ".SH EXAMPLE" in page, path
        for option in node.options:
            assert option.words[0].replace("-", r"\-") in page, (path, option.words)


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed here")
def test_man_finds_nothing_wrong_with_our_pages(office: Office) -> None:
    folder = office.folder / "man1"
    office.done("man", "--folder", str(folder))
    for page in sorted(folder.glob("*.1")):
        read = subprocess.run(
            ["groff", "-Kutf8", "-man", "-Tutf8", "-ww", str(page)],
            capture_output=True,
            check=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        faults = [
            line
            for line in read.stderr.decode().splitlines()
            if "adjust line" not in line and "break line" not in line
        ]
        assert not faults, page.name
        assert len(read.stdout) > 300
