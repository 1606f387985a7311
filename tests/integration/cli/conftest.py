"""A telephone company that staff made by commands alone, copied for each test."""

import shutil
from pathlib import Path

import pytest
from office import Office

import cli

SELL = "prefix,destination,rate_per_min\n44,United Kingdom,0.10\n1,North America,0.24\n"
COST = "prefix,destination,rate_per_min\n44,United Kingdom,0.04\n1,North America,0.09\n"
TRUNK = '\n[[trunks]]\nname = "east"\nhost = "127.0.0.1"\nport = 5999\ncountry = "GB"\n'


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the company was founded once."""
    folder = tmp_path_factory.mktemp("founded")
    config = folder / "switch.toml"
    (folder / "sell.csv").write_text(SELL)
    (folder / "cost.csv").write_text(COST)

    def do(*words: str) -> None:
        assert cli.run(["--config", str(config), *words]) == 0, words

    do("init", "--folder", str(folder))
    config.write_text(config.read_text() + TRUNK)
    since = ["--effective", "2026-01-01"]  # before the calls that tests tell of
    for deck, kind, file in (("retail", "sell", "sell.csv"), ("carrier-x", "cost", "cost.csv")):
        do(
            "deck",
            "import",
            deck,
            str(folder / file),
            "--kind",
            kind,
            "--currency",
            "USD",
            "--approve",
            *since,
        )
    do("plan", "add", "standard", "--deck", "retail", "--a-leg-policy", "free", *since)
    do("trunk", "add", "east", "--carrier", "carrier-x", "--cost-deck", "carrier-x")
    account = ["--currency", "USD", "--plan", "standard", "--zone", "Europe/London", "--credit-limit", "50"]
    do("account", "add", "acme", "--name", "Acme Ltd", *account)
    do("account", "add", "other", "--name", "Other Ltd", *account)
    do("subscriber", "add", "anna", "--account", "acme", "--name", "Anna", "--home-country", "GB")
    do("subscriber", "add", "otto", "--account", "other", "--name", "Otto", "--home-country", "GB")
    do("number", "add", "anna", "020 7946 0101", "--verified", "--reason", "called her back")
    do("did", "add", "+442079460900", "--shared")
    return folder


@pytest.fixture
def office(founded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    """The company, for one test."""
    folder = tmp_path / "office"
    shutil.copytree(founded, folder)
    return Office(folder=folder, capsys=capsys)
