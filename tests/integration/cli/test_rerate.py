"""`dialback rerate`: first to see, then to do."""

from decimal import Decimal

import pytest
from office import Office
from storeworld import NOW, by_sorted_rows, callback, play, story

MONTH = ("rerate", "--month", f"{NOW:%Y-%m}")
RIGHT = (*MONTH, "--deck", "retail:2")
APPLY = ("--apply", "--reason", "the carrier's mistake", "--reference", "fix-7")


@pytest.fixture
def used(office: Office) -> Office:
    """Two callbacks of 31 and 90 s, and then a deck that should have been there from the start."""
    for number, talk in enumerate((31, 90)):
        first = callback(f"cb{number}", currency="USD")
        office.store(play, first, by_sorted_rows(story(first, talk)))
    file = office.folder / "right.csv"
    file.write_text("prefix,destination,rate_per_min\n44,United Kingdom,0.10\n1,North America,0.12\n")
    office.done("deck", "import", "retail", str(file), "--approve")
    return office


def test_F148_first_it_shows_what_would_change_and_writes_nothing(used: Office) -> None:
    balance = used.done("ledger", "show", "acme", "--output", "json").out
    shown = used.done(*RIGHT, "--output", "json")
    row = shown.data[0]
    assert (row["account"], row["callbacks"], row["repriced"], row["passed"]) == ("acme", 2, 2, 0)
    # A is free; 31 s and 90 s at 0.24 were 0.1240 and 0.3600, and are half of that at 0.12.
    amounts = [Decimal(row[name]) for name in ("before", "after", "difference")]
    assert amounts == [Decimal("0.484"), Decimal("0.242"), Decimal("-0.242")]
    assert shown.data[1]["account"] == "TOTAL"
    assert "Nothing was written" in shown.err
    assert used.done("ledger", "show", "acme", "--output", "json").out == balance


def test_R30_then_it_does_it_once_however_often_it_is_asked(used: Office) -> None:
    done = used.done(*RIGHT, *APPLY, "--output", "json").data[0]
    assert (done["callbacks"], done["repriced"]) == (2, 2)
    balance = used.done("ledger", "show", "acme", "--output", "json").out
    for words in ((*RIGHT, *APPLY), RIGHT):
        again = used.done(*words, "--output", "json").data[0]
        assert (again["callbacks"], again["repriced"]) == (2, 0)
    assert used.done("ledger", "show", "acme", "--output", "json").out == balance
    assert used("ledger", "verify").code == 0
    amounts = [Decimal(row["amount"]) for row in used.done("cdr", "--output", "json").data]
    assert sorted(amounts) == [0, 0, Decimal("0.062"), Decimal("0.18")]


def test_another_wish_under_the_same_reference_is_a_conflict(used: Office) -> None:
    used.done(*RIGHT, *APPLY)
    assert used(*RIGHT, *APPLY, "--account", "acme").code == 5


def test_a_deck_in_another_currency_prices_nothing_and_is_named(used: Office) -> None:
    file = str(used.folder / "right.csv")
    used.done("deck", "import", "euro", file, "--kind", "sell", "--currency", "EUR", "--approve")
    shown = used.done(*MONTH, "--deck", "euro", "--output", "json")
    assert [(row["repriced"], row["passed"]) for row in shown.data] == [(0, 2), (0, 2)]
    assert "2 passed over: the deck is in another currency" in shown.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("rerate",), 2),
        (("rerate", "--from", "2026-03-01"), 2),
        (("rerate", "--from", "2026-03-02", "--till", "2026-03-01"), 2),
        ((*MONTH, "--apply"), 2),
        ((*MONTH, "--apply", "--reason", "x"), 2),
        ((*MONTH, "--plan", "nobody"), 3),
        ((*MONTH, "--deck", "retail:99"), 3),
        ((*MONTH, "--deck", "carrier-x"), 2),
        ((*MONTH, "--deck", "carrier-x:1"), 2),
        ((*MONTH, "--on-plan", "nobody"), 3),
        ((*MONTH, "--on-plan", "standard:1"), 3),
        ((*MONTH, "--account", "nobody"), 3),
    ],
)
def test_a_wish_that_cannot_be_meant_is_refused(office: Office, words: tuple[str, ...], code: int) -> None:
    assert office(*words).code == code
