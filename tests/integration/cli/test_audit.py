"""Whatever moves money, or says what calls cost, is a line of the audit log: who, when, what, why."""

import getpass
import io
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from office import ON_BOTH, Office
from storeworld import by_sorted_rows, callback, play, story

WHY = ("--reason", "as agreed")


class Act(NamedTuple):
    """A command, and what its line in the log says: its subject, and a part of what was and of what is."""

    action: str
    subject: str
    was: str
    became: str
    words: tuple[str, ...]


def act(action: str, subject: str, was: str, became: str, *words: str) -> Act:
    return Act(action, subject, was, became, (*words, *WHY))


def known_by(reference: str) -> tuple[str, str]:
    return ("--reference", reference)


VOUCHERS = ("--count", "2", "--amount", "5", "--currency", "USD", "--expires", "2099-01-01")
MONEY = (
    act(
        *("payment.add", "acme", "balance=-0.7200 USD", "balance=19.2800 USD"),
        *("payment", "add", "acme", "20", *known_by("bank 1")),
    ),
    act(
        *("payment.reverse", "acme", "balance=19.2800 USD", "balance=-0.7200 USD"),
        *("payment", "reverse", "acme", "bank 1", *known_by("bounced")),
    ),
    act(
        *("top-up.add", "acme", "balance=-0.7200 USD", "amount=3.0000 USD; balance=2.2800 USD"),
        *("top-up", "add", "acme", "3", *known_by("card 1")),
    ),
    act(
        *("refund.add", "acme", "balance=2.2800 USD", "amount=1.0000 USD; balance=1.2800 USD"),
        *("refund", "add", "acme", "1", *known_by("out 1")),
    ),
    act(
        *("ledger.adjust", "acme", "balance=1.2800 USD", "amount=-9.0000 USD; balance=-7.7200 USD"),
        *("ledger", "adjust", "acme", "-9", *known_by("case 1")),
    ),
    act(
        *("write-off.add", "acme", "balance=-7.7200 USD", "amount=1.0000 USD; balance=-6.7200 USD"),
        *("write-off", "add", "acme", "1", *known_by("lost 1")),
    ),
    act(
        *("credit-note.add", "acme", "balance=-6.7200 USD", "line=cb2-b1; reference=case 2"),
        *("credit-note", "add", "cb2-b1", "--amount", "0.10", *known_by("case 2")),
    ),
)
"""Each has a reference; two calls at 0.36 were made before."""
TERMS = (
    act("voucher.make", "summer", "", "amount=5.0000 USD; count=2", "voucher", "make", "summer", *VOUCHERS),
    act("voucher.void", "summer-00002", "state=new", "state=void", "voucher", "void", "summer-00002"),
    act(
        *("account.change", "acme", "credit_limit=50.0000 USD", "credit_limit=60.0000 USD"),
        *("account", "change", "acme", "--credit-limit", "60"),
    ),
    act("cap.set", "acme", "cap=none", "cap=25.0000 USD", "cap", "set", "acme", "day", "25"),
    act("cap.remove", "acme", "cap=25.0000 USD", "", "cap", "remove", "acme", "day"),
    act("alert.set", "acme", "rules=", "rules=credit_used 90 %", "alert", "set", "acme", "--percent", "90"),
    act(
        *("option.add", "acme", "", "monthly=2.5000 USD; name=Line"),
        *("option", "add", "acme", "line", "--name", "Line", "--monthly", "2.50"),
    ),
    act(
        *("option.end", "acme", "ends_on=none", "ends_on=2099-01-01"),
        *("option", "end", "line", "--on", "2099-01-01"),
    ),
    act(
        *("exchange.set", "EUR/USD", "", "on=2026-03-01; rate=1 EUR = 1.10 USD; source=ECB"),
        *("exchange", "set", "EUR", "USD", "1.10", "--on", "2026-03-01", "--source", "ECB"),
    ),
    act(
        *("dunning.fee", "standard", "", "amount=2.0000 USD"),
        *("dunning", "fee", "standard", "2.00", "--from", "2099-01-01"),
    ),
    act(
        *("deck.stage", "retail", "", "decreased=1; held=0; rejected=0; rows=2; source=sell.csv"),
        *("deck", "import", "retail", "sell.csv"),
    ),
    act("deck.approve", "retail", "", "rows=2; version=2", "deck", "approve", "retail:2"),
    act("deck.rollback", "retail", "version=2", "version=1", "deck", "rollback", "retail"),
    act(
        *("plan.version", "standard:2", "a_leg_policy=free", "a_leg_policy=from_accept"),
        *("plan", "add", "standard", "--deck", "retail"),
    ),
    act(
        *("invoice.issue", "INV-2026-00001", "", "invoices=1; total=0.62 USD"),
        *("invoice", "run", "--month", "2026-03", "--yes"),
    ),
    act(
        *("tax.set", "GB standard", "", "percent=20"),
        *("tax", "set", "GB", "standard", "20", "--from", "2099-01-01"),
    ),
    act("account.state", "acme", "state=open", "state=suspended", "account", "suspend", "acme"),
)


class Log:
    """The audit log of an office, read step by step."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._seen = 0
        self.new()

    def new(self) -> list[dict[str, Any]]:
        """The lines since it was read last."""
        found = self.office.done("audit", "list", "--last", "1000", "--output", "json").data
        fresh = sorted((each for each in found if each["id"] > self._seen), key=lambda each: int(each["id"]))
        self._seen = max((each["id"] for each in fresh), default=self._seen)
        return fresh


@pytest.fixture
def log(office: Office, monkeypatch: pytest.MonkeyPatch) -> Log:
    """What is noted after two calls of 90 s."""
    monkeypatch.chdir(office.folder)
    (office.folder / "sell.csv").write_text(
        "prefix,destination,rate_per_min\n44,United Kingdom,0.10\n1,North America,0.23\n"
    )
    for name in ("cb1", "cb2"):
        first = callback(name, currency="USD")
        office.store(play, first, by_sorted_rows(story(first, 90)))
    return Log(office)


@ON_BOTH
def test_each_act_upon_money_is_one_line_that_says_who_when_what_and_why(office: Office, log: Log) -> None:
    for each in (*MONEY, *TERMS):
        words = (*each.words, "--file", "v.csv") if each.action == "voucher.make" else each.words
        office.done(*words)
        (line,) = log.new()
        assert (line["action"], line["subject"], line["reason"]) == (each.action, each.subject, "as agreed")
        assert each.was in line["before"], line
        assert each.became in line["after"], line
        assert bool(line["before"]) == bool(each.was), line
        assert line["actor"] == getpass.getuser()
        assert abs(datetime.fromisoformat(line["at"]) - datetime.now(UTC)) < timedelta(minutes=2)


@ON_BOTH
def test_I21_an_act_that_is_given_again_changes_nothing_and_adds_no_line(office: Office, log: Log) -> None:
    for each in MONEY:
        first = office.done(*each.words).out
        log.new()
        assert office.done(*each.words).out == first
        assert log.new() == []
    assert office.done("ledger", "verify").code == 0


def test_a_dispute_and_a_voucher_are_noted_at_each_step(
    office: Office, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = office.done("dispute", "open", "cb1-b1", *WHY, "--output", "json").data
    office.done("dispute", "accept", opened["id"], *known_by("case 7"), *WHY)
    office.done("voucher", "make", "summer", *VOUCHERS, "--file", "v.csv", *WHY)
    secret = (office.folder / "v.csv").read_text().splitlines()[1].split(",")[1]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{secret}\n"))
    office.done("voucher", "redeem", "acme", *WHY)
    lines = log.new()
    assert [line["action"] for line in lines] == [
        *("dispute.open", "credit-note.add", "dispute.accept", "voucher.make", "voucher.redeem"),
    ]
    assert {line["reason"] for line in lines} == {"as agreed"}
    assert not any(secret in str(line) for line in lines)
