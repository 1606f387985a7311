"""A telephone company that staff made by commands alone, copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from office import Office
from throwaway_postgresql import Server, server_binaries

import cli

SELL = "prefix,destination,rate_per_min\n44,United Kingdom,0.10\n1,North America,0.24\n"
COST = "prefix,destination,rate_per_min\n44,United Kingdom,0.04\n1,North America,0.09\n"
TRUNK = '\n[[trunks]]\nname = "east"\nhost = "127.0.0.1"\nport = 5999\ncountry = "GB"\n'


def found(folder: Path, url: str = "") -> None:
    """Found the company in a folder, its books there or at that URL."""
    config = folder / "switch.toml"
    (folder / "sell.csv").write_text(SELL)
    (folder / "cost.csv").write_text(COST)

    def do(*words: str) -> None:
        assert cli.run(["--config", str(config), *words]) == 0, words

    do("init", "--folder", str(folder))
    config.write_text(config.read_text() + TRUNK)
    if url:
        moved(config, url)
        do("db", "upgrade")
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


def moved(config: Path, url: str) -> None:
    """The books of these settings are at that URL from now on."""
    config.write_text(config.read_text().replace("sqlite:///dialback.db", url))


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the company was founded once."""
    folder = tmp_path_factory.mktemp("founded")
    found(folder)
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server."""
    if server_binaries() is None:
        pytest.skip("no PostgreSQL server binaries (initdb, postgres) on this machine")
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def founded_on_postgresql(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database in which the company was founded once."""
    name = "founded"
    found(tmp_path_factory.mktemp(name), server.new_database(name=name))
    return name


@pytest.fixture
def office(
    request: pytest.FixtureRequest, founded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Office:
    """The company, for one test; on PostgreSQL where a test asks for both engines (`office.ON_BOTH`)."""
    folder = tmp_path / "office"
    if getattr(request, "param", "sqlite") == "sqlite":
        shutil.copytree(founded, folder)
    else:
        shutil.copytree(founded, folder, ignore=shutil.ignore_patterns("dialback.db*"))
        template = request.getfixturevalue("founded_on_postgresql")
        moved(folder / "switch.toml", request.getfixturevalue("server").new_database(template=template))
    return Office(folder=folder, capsys=capsys)
