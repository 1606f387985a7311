"""A site to practise on: made-up customers, real books, and the walk of docs/OPERATING.md through them."""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from office import Office, Outcome
from sqlalchemy import Connection, func, select

import cli
from billing.tax import TaxCategory
from staff import practice
from store import papers
from store.callbacks import unfinished
from store.schema import callbacks, holds, settlements
from store.verify import verify

ROOT = Path(__file__).parents[3]
CHAPTER = "## Try a month\n"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
ID = re.compile(r"\b(MONTH|CALLBACK|LEG|INVOICE|DISPUTE)\b")
NOW = datetime(2026, 4, 10, 9, tzinfo=UTC)


class Clock:
    """Stands where the door asks what time it is."""

    @staticmethod
    def now(zone: object) -> datetime:
        return NOW


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(cli, "datetime", Clock)
    office = Office(folder=tmp_path / "practice", capsys=capsys)
    told = office.done("init", "--folder", str(office.folder), "--practice")
    assert "PRACTICE: four customers who do not exist, and their calls of 2026-03" in told.out
    return office


def commands() -> Iterator[list[str]]:
    text = (ROOT / "docs" / "OPERATING.md").read_text(encoding="utf-8")
    for block in BLOCK.finditer(text.partition(CHAPTER)[2].partition("\n## ")[0]):
        for line in block[1].splitlines():
            program, *words = shlex.split(line, comments=True)
            if program == "dialback" and words[0] != "init":
                yield words


def test_a_practice_month_is_in_the_books_as_calls_are_and_says_everywhere_that_it_is_practice(
    site: Office,
) -> None:
    assert site.store(verify) == ()
    assert site.store(unfinished) == ()
    accounts = site.done("account", "list", "--output", "json").data
    assert {each["currency"] for each in accounts} == {"EUR", "GBP", "USD"}
    assert all("(practice)" in each["name"] for each in accounts)
    records = site.done("cdr", "--output", "json").data
    assert {each["time"][:7] for each in records} == {"2026-03"}
    assert {each["disposition"] for each in records} == {"answered", "busy", "no_answer"}
    for each in records:
        if each["disposition"] == "answered":  # each price follows from what was pinned
            assert site("explain", each["leg"]).code == 0
    site.done("invoice", "run", "--month", "2026-03", "--yes", "--no-papers")
    numbers = [each.number for each in site.store(papers.list_issued)]
    assert numbers == [f"PRACTICE-2026-{count:05}" for count in range(1, 5)]
    heads = [site.store(papers.invoice_of, number) for number in numbers]
    assert {head.seller.name for head in heads} == {"PRACTICE (no real company)"}
    taxes = {tax.category for head in heads for tax in head.totals.taxes}
    assert taxes == {TaxCategory.STANDARD, TaxCategory.ZERO, TaxCategory.REVERSE_CHARGE}


def test_every_practice_callback_was_settled_once_and_every_hold_has_ended(site: Office) -> None:
    def count(connection: Connection) -> tuple[int, int, int]:
        made, settled = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (callbacks, settlements)
        )
        open_ = connection.execute(select(func.count()).where(holds.c.state == "open")).scalar_one()
        return made, settled, open_

    made, settled, still_held = site.store(count)
    assert (made, still_held) == (settled, 0)
    assert made > 15


@pytest.mark.parametrize("kept", ["switch.toml", "dialback.db"])
def test_a_folder_that_has_a_site_or_its_books_is_never_made_a_practice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kept: str
) -> None:
    (tmp_path / kept).write_bytes(b"theirs")
    refused = Office(folder=tmp_path, capsys=capsys)("init", "--folder", str(tmp_path), "--practice")
    assert (refused.code, f"{kept}: is there already" in refused.err) == (5, True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {kept: b"theirs"}


def test_a_practice_that_cannot_be_filled_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(practice, "fill", full)
    assert Office(folder=tmp_path, capsys=capsys)("init", "--folder", str(tmp_path), "--practice").code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (datetime(2026, 4, 1, 11, 59, tzinfo=UTC), (2026, 2)),
        (datetime(2026, 4, 1, 12, tzinfo=UTC), (2026, 3)),
        (datetime(2026, 1, 31, tzinfo=UTC), (2025, 12)),
    ],
)
def test_the_month_to_practise_on_is_over_in_every_zone(now: datetime, month: tuple[int, int]) -> None:
    assert practice.last_month(now) == month


def test_a_clerk_gets_through_the_walk_by_the_book_alone(
    site: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.folder)
    ids, said = {"MONTH": "2026-03"}, dict[str, Outcome]()
    given = list(commands())
    assert len(given) > 15
    for words in given:
        outcome = said[" ".join(words)] = site.done(
            *(ID.sub(lambda found: ids[found[1]], each) for each in words)
        )
        match words[:2]:
            case ["cdr", *_]:
                (line,) = [
                    each for each in outcome.out.splitlines() if "2026-03-17" in each and "00:00:04" in each
                ]
                ids["LEG"] = line.split()[-1]
                ids["CALLBACK"] = ids["LEG"].removesuffix("-b1")
            case ["invoice", "list"]:
                (ids["INVOICE"],) = [
                    each.split()[0] for each in outcome.out.splitlines() if "harbour" in each
                ]
            case ["dispute", "open"]:
                ids["DISPUTE"] = outcome.out.split()[1]
            case _:
                pass
    assert (site.folder / "invoices" / f"{ids['INVOICE']}.pdf").read_bytes().startswith(b"%PDF-")
    assert "\nbalance    0.00\n" in said["payment add harbour 24.41 --reference bank-1"].out
    assert "PRACTICE-CN-2026-00001" in said["credit-note list --account harbour"].out
    assert re.search(r"^balance +0\.12$", said["account show harbour"].out, re.MULTILINE)
    assert "agree" in said["ledger verify"].out
    assert date(2026, 3, 17).isoformat() in said["cdr --account harbour"].out
