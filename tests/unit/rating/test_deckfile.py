"""Reading decks from CSV: whole or not at all, each refusal with row, column and remedy."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from rating.deck import DeckRefused, DeckRows, read_deck
from rating.deckfile import GIVE_UP_ROWS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FULL = (
    "prefix,destination,rate_per_min,first_increment,next_increment,connect_fee,"
    "effective_date,end_date,status,currency"
)
SAMPLES = Path(__file__).parents[3] / "etc" / "decks"


def read(*lines: str, header: str = FULL) -> DeckRows:
    return read_deck((f"{line}\n" for line in (header, *lines)), currency="USD", effective_at=NOON)


def only_error(rows: DeckRows) -> tuple[int, str]:
    assert rows.rates == ()
    assert len(rows.errors) == 1, rows.errors
    error = rows.errors[0]
    assert error.problem
    assert error.remedy
    return error.row, error.column


def test_every_column_is_read() -> None:
    rows = read('4420,"London, UK",0.0085,60,6,0.05,2026-04-01,2026-05-01T12:00:00+02:00,open,USD')
    (rate,) = rows.accepted()
    assert (rate.prefix, rate.destination, rate.per_minute) == ("4420", "London, UK", Decimal("0.0085"))
    assert (rate.first_increment_s, rate.next_increment_s, rate.connect_fee) == (60, 6, Decimal("0.05"))
    assert rate.valid_from == datetime(2026, 4, 1, tzinfo=UTC)
    assert rate.valid_till == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert (rate.blocked, rate.currency, rate.id) == (False, "USD", "4420@2026-04-01T00:00:00Z")


def test_three_columns_are_enough_and_the_plan_decides_the_rest() -> None:
    (rate,) = read("+44 20,London,0.0085", header="prefix,destination,rate_per_min").accepted()
    assert (rate.prefix, rate.valid_from, rate.valid_till) == ("4420", NOON, None)
    assert (rate.first_increment_s, rate.next_increment_s, rate.connect_fee) == (None, None, None)


def test_columns_may_stand_in_any_order_after_a_byte_order_mark_with_crlf() -> None:
    lines = ["\ufeffRate_per_min,prefix,destination\r\n", "\r\n", "0.5,44,UK\r\n"]
    rows = read_deck(lines, currency="USD", effective_at=NOON)
    assert [rate.prefix for rate in rows.accepted()] == ["44"]


def test_a_blocked_or_closed_row_needs_no_rate_and_is_kept() -> None:
    rows = read("88213,Satellite,,,,,,,blocked,", "8835,Network,,,,,,,closed,")
    assert [rate.blocked for rate in rows.accepted()] == [True, True]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "NaN",
            "1e3",
            "1_000",
            "-0.5",
            "+0.5",
            "inf",
            "1,500",
            "1,5,0",
            ".5",
            "0.123456789",
            "\u0661",
            "0x1",
            "=1+1",
        ),
        *("", "free", "1 2", "$0.10", "9" * 40),
    ],
)
def test_a_rate_that_is_not_plain_digits_is_refused(text: str) -> None:
    assert only_error(read(f'44,UK,"{text}",,,,,,,')) == (2, "rate_per_min")


@pytest.mark.parametrize("text", ["", "44x", "0044!", "\u0664\u0664", "4" * 16, "44;", "44-", "=44"])
def test_a_prefix_that_is_not_digits_is_refused(text: str) -> None:
    rows = read(f"{text},UK,0.1,,,,,,,")
    if text == "44-":
        assert [rate.prefix for rate in rows.accepted()] == ["44"]
    else:
        assert only_error(rows) == (2, "prefix")


def test_a_range_over_several_countries_is_refused() -> None:
    assert only_error(read("+1 - 7,UK,0.1,,,,,,,")) == (2, "prefix")


def test_a_prefix_may_be_written_with_its_country_code_apart() -> None:
    (rate,) = read("1-809,Dominican Republic,0.1,,,,,,,").accepted()
    assert rate.prefix == "1809"


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "3601", "30/6", "1e1", "x"])
def test_an_increment_is_whole_seconds(text: str) -> None:
    assert only_error(read(f"44,UK,0.1,{text},,,,,,")) == (2, "first_increment")


@pytest.mark.parametrize(
    "text",
    ["01/02/2026", "1-2-2026", "2026-02-30", "2026-2-1", "0000-01-01", "2026-W01-1", "soon"],
)
def test_a_date_is_never_guessed(text: str) -> None:
    assert only_error(read(f"44,UK,0.1,,,,{text},,,")) == (2, "effective_date")


def test_an_end_that_is_not_after_the_start_is_refused() -> None:
    assert only_error(read("44,UK,0.1,,,,2026-04-01,2026-04-01,,")) == (2, "end_date")


def test_another_currency_is_refused() -> None:
    assert only_error(read("44,UK,0.1,,,,,,,EUR")) == (2, "currency")


def test_an_unknown_status_is_refused() -> None:
    assert only_error(read("44,UK,0.1,,,,,,perhaps,")) == (2, "status")


def test_a_destination_is_printable_and_not_endless() -> None:
    assert only_error(read("44,,0.1,,,,,,,")) == (2, "destination")
    assert only_error(read(f"44,{'x' * 101},0.1,,,,,,,")) == (2, "destination")
    assert only_error(read("44,U\x1b[31mK,0.1,,,,,,,")) == (2, "destination")


def test_a_prefix_that_starts_twice_at_the_same_time_is_refused() -> None:
    assert only_error(read("44,UK,0.1,,,,,,,", "+4 4,UK,0.2,,,,,,,")) == (3, "prefix")


def test_a_row_that_ends_after_its_successor_starts_is_refused() -> None:
    first, second = "44,UK,0.1,,,,2026-04-01,2026-06-01,,", "44,UK,0.2,,,,2026-05-01,,,"
    assert only_error(read(first, second)) == (3, "effective_date")
    assert read(first.replace("06-01", "05-01"), second).errors == ()
    assert read(first.replace("2026-06-01", ""), second).errors == ()


def test_a_row_with_another_number_of_cells_is_refused() -> None:
    assert only_error(read("44,UK")) == (2, "row")
    assert only_error(read("44,UK, London,0.1,,,,,,,")) == (2, "row")


def test_quotes_that_do_not_close_on_their_line_spoil_that_row_only() -> None:
    rows = read('44,"UK,0.1,,,,,,,', "33,France,x,,,,,,,")
    assert [(error.row, error.column) for error in rows.errors] == [(2, "row"), (3, "rate_per_min")]


def test_a_line_without_end_and_control_characters_are_refused() -> None:
    assert only_error(read("44,UK,0.1" + "," * 5000)) == (2, "row")
    assert only_error(read("44,U\rK,0.1,,,,,,,")) == (2, "row")
    assert only_error(read("44,U\0K,0.1,,,,,,,")) == (2, "row")


def test_every_error_of_a_row_and_of_the_file_is_told_and_nothing_is_used() -> None:
    rows = read("44,UK,0.1,,,,,,,", "x,,1e3,0,,,,,,", "33,France,NaN,,,,,,,")
    assert [(error.row, error.column) for error in rows.errors] == [
        (3, "rate_per_min"),
        (3, "prefix"),
        (3, "destination"),
        (3, "first_increment"),
        (4, "rate_per_min"),
    ]
    assert rows.rates == ()
    with pytest.raises(DeckRefused, match=r"row 3, column rate_per_min: '1e3' is not a price: .* and 2 more"):
        rows.accepted()


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("prefix,destination", "rate_per_min"),
        ("prefix,destination,rate_per_min,prefix", "prefix"),
        ("prefix,destination,rate_per_min,holiday rate", "holiday rate"),
        ("prefix;destination;rate_per_min", "prefix"),
    ],
)
def test_a_header_with_other_columns_is_refused(header: str, column: str) -> None:
    rows = read("44,UK,0.1", header=header)
    assert (rows.rates, rows.rows_read) == ((), 0)
    assert column in {error.column for error in rows.errors}


@pytest.mark.parametrize("lines", [[], ["\n"], ["prefix,destination,rate_per_min\n"]])
def test_an_empty_file_is_refused(lines: list[str]) -> None:
    assert len(read_deck(lines, currency="USD", effective_at=NOON).errors) == 1


def test_a_file_of_another_kind_is_left_after_a_thousand_errors() -> None:
    rows = read(*["x,UK,0.1,,,,,,,"] * 5000)
    assert len(rows.errors) <= GIVE_UP_ROWS + 1
    assert rows.rows_read <= GIVE_UP_ROWS


def test_the_default_start_has_a_zone() -> None:
    with pytest.raises(ValueError, match="effective_at"):
        read_deck([], currency="USD", effective_at=datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*-usd.csv")), ids=lambda path: path.stem)
def test_the_sample_decks_are_sound(sample: Path) -> None:
    with sample.open(encoding="utf-8") as lines:
        assert read_deck(lines, currency="USD", effective_at=NOON).accepted()
