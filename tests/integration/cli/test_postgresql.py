"""The same commands with the books on a PostgreSQL server."""

import shutil
from pathlib import Path

import pytest
from office import Office
from storeworld import by_sorted_rows, callback, play, story
from throwaway_postgresql import Server

pytestmark = pytest.mark.postgres


@pytest.fixture
def office(founded: Path, tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> Office:
    """The company's settings with an empty database on the server."""
    folder = tmp_path / "office"
    shutil.copytree(founded, folder, ignore=shutil.ignore_patterns("dialback.db*"))
    config = folder / "switch.toml"
    config.write_text(config.read_text().replace("sqlite:///dialback.db", server.new_database()))
    return Office(folder=folder, capsys=capsys)


def test_a_company_is_founded_called_and_invoiced(office: Office) -> None:
    assert office("account", "list").code == 78
    office.done("db", "upgrade")
    since = ("--effective", "2026-01-01")
    for deck, kind, file in (("retail", "sell", "sell.csv"), ("carrier-x", "cost", "cost.csv")):
        words = (deck, str(office.folder / file), "--kind", kind, "--currency", "USD")
        office.done("deck", "import", *words, "--approve", *since)
    office.done("plan", "add", "standard", "--deck", "retail", "--a-leg-policy", "free", *since)
    office.done("trunk", "add", "east", "--carrier", "carrier-x", "--cost-deck", "carrier-x")
    terms = ("--currency", "USD", "--plan", "standard", "--credit-limit", "50")
    office.done("account", "add", "acme", "--name", "Acme Ltd", *terms)
    office.done("subscriber", "add", "anna", "--account", "acme", "--name", "Anna", "--home-country", "GB")
    office.done("number", "add", "anna", "020 7946 0101", "--verified", "--reason", "called her")
    office.done("did", "add", "+442079460900", "--shared")
    first = callback("cb1", currency="USD")
    office.store(play, first, by_sorted_rows(story(first, 90)))
    assert office.done("cdr", "--last", "1", "--output", "json").data[0]["amount"] == "0.36"
    office.done("payment", "add", "acme", "1", "--reference", "bank 1")
    assert office.done("account", "show", "acme", "--output", "json").data["balance"] == "0.64"
    assert "0.36" in office.done("invoice", "--month", "2026-03").out
    made = office.done("callback", "request", "--number", "+442079460101", "--output", "json").data
    assert office("callback", "request", "--number", "+442079460101").code == 5
    assert office.done("callback", "show", made["id"], "--output", "json").data["state"] == "requested"
    assert office.done("ledger", "verify").out.startswith("2 entries")
