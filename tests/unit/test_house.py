"""What import-linter cannot see: the modules beside the floors, and the shape of the floors themselves."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FLOORS: list[str] = HOUSE["tool"]["importlinter"]["root_packages"]


def imported_by(path: Path) -> set[str]:
    """First words of all that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_the_linter_watches_every_floor() -> None:
    packaged = HOUSE["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {pattern.removesuffix("*") for pattern in packaged} == set(FLOORS)
    folders_with_code = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders_with_code == set(FLOORS)


def test_the_composition_root_knows_nothing_of_what_stands_on_it() -> None:
    service = ROOT / "service.py"
    if service.exists():
        assert not imported_by(service) & {"cli", "demo", "bench"}


def test_nothing_is_called_asterisk_for_that_would_hide_pyst2() -> None:
    assert not [floor for floor in FLOORS if list((ROOT / floor).rglob("asterisk.py"))]
    assert not (ROOT / "asterisk").exists()


@pytest.mark.parametrize("floor", FLOORS)
def test_an_init_file_holds_a_docstring_and_nothing_else(floor: str) -> None:
    body = ast.parse((ROOT / floor / "__init__.py").read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


@pytest.mark.parametrize("lock", ["build", "run", "test"])
def test_a_lock_names_versions_and_hashes_but_no_index(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text
    packages = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert packages
    assert all("==" in line and line.endswith("\\") for line in packages)
