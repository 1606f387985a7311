"""The new clerk: every command of docs/OPERATING.md's chapter, in its order, each day on the clock.

The one thing that no command does is the call itself: it is played by its facts, as the switch books it.
"""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from office import Office, Outcome
from openpyxl import load_workbook
from storeworld import advance
from storeworld import leg as leg_of

import cli
from billing.printed import width
from calls import events
from calls.callback import Callback, ReleasedBy
from calls.cdr import LegRole
from staff.tree import nodes
from store import callbacks
from store.cdrs import list_cdrs
from store.database import Connection
from store.decks import deck

ROOT = Path(__file__).parents[3]
CHAPTER = "## A month in the office\n"
TRUNK = '\n[[trunks]]\nname = "alpha"\nhost = "127.0.0.1"\nport = 5999\ncountry = "GB"\n'
DAY = re.compile(r"^\*\*(\d{4}-\d{2}-\d{2})\*\*", re.MULTILINE)
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LISTS = [node for node in nodes(cli.dialback, "dialback") if node.words[-1:] == ("list",)]
ID = re.compile(r"\b(CALLBACK|LEG|INVOICE|DISPUTE)\b")


def commands() -> Iterator[tuple[datetime, list[str]]]:
    """Each command of the chapter with the day on which it is given, at nine in the morning."""
    text = (ROOT / "docs" / "OPERATING.md").read_text(encoding="utf-8")
    chapter = text.partition(CHAPTER)[2].partition("\n## ")[0]
    for block in BLOCK.finditer(chapter):
        day = DAY.findall(chapter[: block.start()])[-1]
        for line in block[1].splitlines():
            words = shlex.split(line, comments=True)
            if words:
                assert words[0] == "dialback", line
                yield datetime.fromisoformat(f"{day}T09:00:00+00:00"), words[1:]


class Clock:
    """Stands where the door asks what time it is."""

    def __init__(self) -> None:
        self.at = datetime(2026, 2, 27, 9, tzinfo=UTC)

    def now(self, zone: object) -> datetime:
        # A command takes a moment; ids that sort by time need it too.
        self.at += timedelta(seconds=1)
        return self.at


class Clerk:
    """Gives the commands, and copies ids from what they print."""

    def __init__(self, office: Office, clock: Clock) -> None:
        self.office = office
        self.clock = clock
        self.ids: dict[str, str] = {}
        self.said: dict[str, Outcome] = {}

    def give(self, at: datetime, words: list[str]) -> None:
        self.clock.at = max(self.clock.at, at)
        written = " ".join(words)
        filled = [ID.sub(lambda found: self.ids[found[1]], word) for word in words]
        self.said[written] = outcome = self.office.done(*filled)
        self._copy(words, outcome)

    def _copy(self, words: list[str], outcome: Outcome) -> None:
        match words[:2]:
            case ["callback", "request"]:
                self.ids["CALLBACK"] = outcome.out.split()[1]
                self.office.store(talk, self.ids["CALLBACK"], self.clock.at)
                self.ids["LEG"] = f"{self.ids['CALLBACK']}-b1"
            case ["invoice", "list"] if "INVOICE" not in self.ids:
                (self.ids["INVOICE"],) = re.findall(r"INV-2026-\d+", outcome.out)
            case ["dispute", "open"]:
                self.ids["DISPUTE"] = dict(
                    line.split(maxsplit=1) for line in outcome.out.splitlines() if " " in line
                )["id"].strip()


def talk(connection: Connection, callback_id: str, at: datetime) -> Callback:
    """The call that was asked for: both answer, and talk for 90 seconds."""
    now = callbacks.load(connection, callback_id)
    sell, cost = (deck(connection, name, at) for name in ("retail", "alpha-cost"))

    def leg(role: LegRole, number: Any) -> Any:
        rates = {
            "price_rate_id": sell.find(number, at).id,  # type: ignore[union-attr]
            "cost_rate_id": cost.find(number, at).id,  # type: ignore[union-attr]
        }
        return leg_of(now, role, number=number, trunk="alpha", **rates)

    def after(seconds: float) -> datetime:
        return at + timedelta(seconds=seconds)

    leg_a = leg(LegRole.A, now.number_a)
    now = advance(connection, now, events.DialAuthorised(at=after(1), leg=leg_a, hold_units=1_0000))
    leg_b = leg(LegRole.B, now.destination)
    assert now.destination is not None
    for event in (
        events.LegRang(at=after(3), leg_id=leg_a.id),
        events.LegAnswered(at=after(8), leg_id=leg_a.id),
        events.Accepted(at=after(10), leg_id=leg_a.id),
        events.DestinationKeyed(at=after(11), number=now.destination),
        events.DestinationAuthorised(at=after(12), legs=(leg_b,), hold_units=5_0000),
        events.LegRang(at=after(14), leg_id=leg_b.id),
        events.LegAnswered(at=after(20), leg_id=leg_b.id),
        events.LegHungUp(at=after(110), leg_id=leg_b.id, q850_cause=16, released_by=ReleasedBy.FAR),
        events.LegHungUp(at=after(111), leg_id=leg_a.id, q850_cause=16, released_by=ReleasedBy.FAR),
    ):
        now = advance(connection, now, event)
    return now


def test_a_new_clerk_gets_through_the_month_by_the_book_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(cli, "datetime", clock)
    (tmp_path / "etc").symlink_to(ROOT / "etc")
    monkeypatch.chdir(tmp_path)
    office = Office(folder=tmp_path, capsys=capsys)
    office.done("init")
    config = tmp_path / "switch.toml"
    config.write_text(config.read_text() + TRUNK)
    clerk = Clerk(office, clock)
    given = list(commands())
    assert len(given) > 25
    for at, words in given:
        clerk.give(at, words)

    (leg_a, leg_b) = office.store(list_cdrs)
    assert str(leg_b.charge.amount) == "0.3750"  # 90 s to +1 at 0.25, 30/1
    told = office.done("explain", f"{clerk.ids['CALLBACK']}-a1").out
    assert re.search(
        r"^accepted at +2026-03-03T", told, re.MULTILINE
    )  # 111 s long, but counted from this key
    assert re.search(r"^charged seconds +101$", told, re.MULTILINE)
    number = clerk.ids["INVOICE"]
    folder = tmp_path / "invoices"
    assert {path.suffix for path in folder.iterdir()} >= {".pdf", ".html", ".csv", ".json"}
    (pdf,) = folder.glob("*.pdf")
    assert pdf.name.startswith(number)
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert "CN-" in clerk.said["credit-note list --account acme"].out
    margin = clerk.said["report margin --by destination --month 2026-03"].out
    assert "United States and Canada  0.3750" in margin
    sheet = load_workbook(tmp_path / "margin-2026-03.xlsx").active
    assert sheet is not None
    assert sheet["A3"].value == "alphatel"
    assert (tmp_path / "dialback-2026-04-11.backup").stat().st_size > 100_000
    assert leg_a.charge is not None
    assert_every_list_fits(office, clerk, monkeypatch)


def assert_every_list_fits(office: Office, clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("staff.listing._terminal_columns", lambda: 100)
    callback, leg, dispute = (clerk.ids[name] for name in ("CALLBACK", "LEG", "DISPUTE"))
    wants_account = {node.path for node in LISTS if any(each.required for each in node.command.params)}
    words = [f"{node.path} acme" if node.path in wants_account else node.path for node in LISTS]
    words += [f"callback show {callback}", f"callback trace {callback}", f"explain {leg} --cost"]
    words += ["cdr", "ledger show acme", "account show acme", f"dispute show {dispute}", "deck show retail"]
    words += [f"{each} --month 2026-03" for each in ("stats", "report usage", "report funnel")]
    words += ["invoice show acme --month 2026-03", "credit-note print CN-2026-00001"]
    words += ["quote --account acme --from +442079460101 --to +14155550123 --explain"]
    words += ["routes +14155550123 --account acme", "deck versions retail"]
    for command in words:
        told = office.done(*command.split())
        wide = [line for line in told.out.splitlines() if width(line) > 100]
        assert not wide, command
    assert leg in office.done("cdr").out  # to be copied from there
