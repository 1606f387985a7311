from dataclasses import replace
from decimal import Decimal

import pytest
from storeworld import CLERK, FRIEND, LONG_AGO, NOW, rate, seconds

from rating.deck import NoRate
from rating.origin import OriginClass
from rating.rate import Rate, Surcharge
from store import decks
from store.database import Database
from store.errors import Conflict, Invalid, NotFound

SURCHARGES = (
    Surcharge(origin=OriginClass.EEA, per_minute=Decimal(0)),
    Surcharge(origin=OriginClass.NON_EEA, per_minute=Decimal("0.25")),
    Surcharge(origin=OriginClass.INVALID, per_minute=Decimal("0.12345678")),
)


def test_a_deck_comes_back_as_it_was_inserted(company: Database) -> None:
    rows = [
        rate("7", "0.12345678", next_per_minute=Decimal("0.1"), connect_fee=Decimal("0.05")),
        rate("77", "1.5", first_increment_s=6, next_increment_s=6, valid_till=seconds(9)),
        rate("78", "9", blocked=True),
        rate(
            "79", "0.30", band="peak", attempt_fee=Decimal("0.001"), number_digits_min=9, number_digits_max=12
        ),
        rate("80", "0.30", surcharges=SURCHARGES),
    ]
    version = add_version(company, rows)
    deck = company.read("deck", decks.whole_deck, "retail", NOW)
    assert (deck.id, version) == ("retail:2", 2)
    assert [one.id for one in deck.rates] == [
        "retail:2:1",
        "retail:2:2",
        "retail:2:3",
        "retail:2:4",
        "retail:2:5",
    ]
    assert [replace(one, id="") for one in deck.rates] == rows


def test_a_version_comes_into_force_at_its_instant(company: Database) -> None:
    add_version(company, [rate("1", "0.50")], effective_at=seconds(10))
    before = company.read("deck", decks.deck, "retail", seconds(9))
    after = company.read("deck", decks.deck, "retail", seconds(10))
    assert (before.version, after.version) == (1, 2)
    assert price(before.find(FRIEND, NOW)) == Decimal("0.25")
    assert price(after.find(FRIEND, NOW)) == Decimal("0.50")


def test_a_version_is_read_once_and_then_kept(company: Database) -> None:
    first = company.read("deck", decks.deck, "retail", NOW)
    assert company.read("deck", decks.deck, "retail", NOW) is first


def test_a_pinned_rate_is_found_in_memory_and_in_the_table(company: Database) -> None:
    in_table = company.read("rate", decks.rate, "retail:1:2")
    company.read("deck", decks.deck, "retail", NOW)
    in_memory = company.read("rate", decks.rate, "retail:1:2")
    assert in_table == in_memory
    assert in_table.per_minute == Decimal("0.25")
    add_version(company, [rate("1", "9")])
    company.read("deck", decks.deck, "retail", NOW)
    assert company.read("rate", decks.rate, "retail:1:2") == in_table


@pytest.mark.parametrize("wrong", ["retail:1:9", "retail:9:1", "none:1:1", "retail", "retail:x:1", ""])
def test_a_rate_that_is_nowhere_is_not_found(company: Database, wrong: str) -> None:
    with pytest.raises(NotFound):
        company.read("rate", decks.rate, wrong)


def test_a_deck_refuses_what_cannot_be_meant(company: Database) -> None:
    with pytest.raises(Conflict, match="exists already"):
        company.call("add", decks.add_deck, name="retail", kind="sell", currency="EUR", author=CLERK)
    with pytest.raises(Invalid):
        company.call("add", decks.add_deck, name="other", kind="gift", currency="EUR", author=CLERK)
    with pytest.raises(Invalid, match="without rows"):
        add_version(company, [])
    with pytest.raises(Invalid, match="is in USD"):
        add_version(company, [rate("1", "1"), rate("2", "1", currency="USD")])
    with pytest.raises(NotFound):
        add_version(company, [rate("1", "1")], deck_name="none")
    assert company.read("info", decks.deck_info, "retail").version == 1


def test_a_deck_without_a_version_in_force_is_not_found(company: Database) -> None:
    for name, at in (("retail", seconds(-(10**8))), ("none", NOW)):
        with pytest.raises(NotFound):
            company.read("deck", decks.deck, name, at)


def test_a_deck_of_many_rows_goes_in_whole(company: Database) -> None:
    rows = [rate(str(100_000 + number), "0.1") for number in range(12_000)]
    add_version(company, rows)
    assert company.read("info", decks.deck_info, "retail").rows == 12_000
    assert len(company.read("deck", decks.whole_deck, "retail", NOW).rates) == 12_000


def test_a_large_version_is_looked_up_in_the_table_until_it_is_on_the_shelf(company: Database) -> None:
    many = [rate(str(200_000 + number), "0.1") for number in range(decks.ROWS_READ_IN_A_CALL_MAX)]
    ends = [rate("1", "0.3"), rate("1415", "0.5", valid_from=seconds(9)), rate("1415", "0.4")]
    add_version(company, [*ends, *many])

    def find(connection: object) -> Rate | NoRate:
        return decks.deck(connection, "retail", NOW).find(FRIEND, NOW)  # type: ignore[arg-type]

    def large(connection: object) -> bool:
        return isinstance(decks.deck(connection, "retail", NOW), decks.DeckInTable)  # type: ignore[arg-type]

    assert company.read("deck", large)
    in_table = company.read("find", find)
    assert isinstance(in_table, Rate)
    assert (in_table.id, in_table.per_minute) == ("retail:2:3", Decimal("0.4"))
    (wanted,) = company.read("wanted", decks.wanted_on_shelf, NOW)
    company.read("shelve", decks.shelve, wanted)
    assert not company.read("deck", large)
    assert company.read("find", find) == in_table
    assert company.read("rate", decks.rate, "retail:2:3") == in_table
    assert company.read("wanted", decks.wanted_on_shelf, NOW) == ()


def add_version(
    company: Database, rows: list[Rate], deck_name: str = "retail", effective_at: object = LONG_AGO
) -> int:
    return company.call(
        "version",
        decks.add_version,
        deck_name=deck_name,
        new_rates=rows,
        effective_at=effective_at,  # type: ignore[arg-type]
        author=CLERK,
    )


def price(found: Rate | NoRate) -> Decimal:
    assert isinstance(found, Rate)
    return found.per_minute
