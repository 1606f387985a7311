"""What the documents say of the code, as far as a program can read it: links, paths, names, the floors."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[a-z]+(?:/[A-Za-z0-9_.-]+)*/[A-Za-z0-9_-]+\.(?:py|md|toml|csv|typ)")
NAME = re.compile(
    rf"(?:{'|'.join(HOUSE['root_packages'])})(?:\.[A-Za-z_]+){{2,}}"
)  # with one dot it may be an event of the log


def quoted(page: Path) -> set[str]:
    """All that stands in single backticks, outside blocks of code."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return set(QUOTED.findall(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_are_there(page: Path) -> None:
    ours = {folder.name for folder in ROOT.iterdir()}
    named = {words for words in quoted(page) if PATH.fullmatch(words) and words.partition("/")[0] in ours}
    assert not [path for path in named if not (ROOT / path).exists() and not (page.parent / path).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_names_of_code_are_names_in_the_code(page: Path) -> None:
    for name in sorted(words for words in quoted(page) if NAME.fullmatch(words)):
        module, _, last = name.rpartition(".")
        try:
            found = hasattr(import_module(module), last) or bool(import_module(name))
        except ModuleNotFoundError:
            found = False
        assert found, name


def test_the_picture_of_the_floors_is_the_linters() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    picture = text.partition("## The floors\n\n```\n")[2].partition("```")[0].splitlines()
    (floors,) = (each["layers"] for each in HOUSE["contracts"] if each["id"] == "floors")
    drawn = [sorted(re.findall(r"[a-z]+", line[:24])) for line in picture]
    assert drawn == [sorted(re.findall(r"[a-z]+", floor)) for floor in floors]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_are_closed_and_headings_stand_free(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(re.findall("^```", text, re.MULTILINE)) % 2 == 0
    prose = re.sub(r"^```.*?^```", "a block", text, flags=re.DOTALL | re.MULTILINE)
    assert not re.findall(r"[^\n]\n(##+ .*)", prose)


def test_decisions_are_numbered_without_a_gap() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    titles = [record.read_text(encoding="utf-8").partition(".")[0] for record in records]
    assert titles == [f"# {number}" for number in range(1, len(records) + 1)]


def test_every_decision_is_in_their_list_under_its_own_title() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    for record in sorted(folder.glob("0*.md")):
        title = record.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        assert f"- [{title}]({record.name})" in listed
