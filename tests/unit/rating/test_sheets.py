"""The column sets and conventions of other billing systems and of carriers' sheets."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sheets import Read, read, read_path, workbook

from rating.cells import Status, covering
from rating.findings import FindingKind
from rating.mapping import MappingRefused, read_mapping
from rating.raterow import UNDATED
from rating.sheet import LINE_CHARACTERS_MAX
from staff.exits import Stop
from values.instants import micros

SAMPLES = Path(__file__).parents[3] / "etc" / "decks"
PLAIN_HEADER = "prefix,destination,rate_per_min\n"


def day(year: int, month: int, number: int) -> int:
    return micros(datetime(year, month, number, tzinfo=UTC))


def refused(found: Read) -> list[tuple[int, str]]:
    assert all(error.problem and error.remedy for error in found.errors)
    return [(error.row, error.column) for error in found.errors]


# systems


def test_a2billing_is_read_and_its_blocks_become_increments_that_bill_the_same() -> None:
    """W-28: it rounds whole calls up to blocks; 30/60 bills 60 for 31 s, ours would bill 90."""
    sheet = (
        "dialprefix;destination;rateinitial;buyrate;initblock;billingblock;connectcharge;startdate;stopdate\n"
        "4420;London;0.0850;0.01;30;6;0.05;2026-04-01 00:00:00;2037-12-31 00:00:00\n"
        "33;France;0.0500;0.01;30;60;0;2026-04-01 00:00:00;2037-12-31 00:00:00\n"
    )
    found = read(sheet)
    london, france = found.rows
    assert (london.per_minute, london.connect_fee) == (8_500_000, 5_000_000)
    assert (london.first_increment_s, london.next_increment_s) == (30, 6)
    assert (france.first_increment_s, france.next_increment_s) == (60, 60)
    assert [(each.kind, each.row) for each in found.findings] == [(FindingKind.BLOCKS, 3)]
    assert london.valid_from == day(2026, 4, 1)
    assert read(sheet, kind="cost").prices == {"4420": 1_000_000, "33": 1_000_000}


@pytest.mark.parametrize(
    ("first", "block"), [(30, 60), (20, 60), (10, 30), (60, 11), (1, 6), (30, 6), (7, 7)]
)
def test_W28_translated_blocks_bill_what_a2billing_bills(first: int, block: int) -> None:
    from rating.price import billed_seconds

    sheet = f"dialprefix,destination,rateinitial,initblock,billingblock\n44,UK,0.1,{first},{block}\n"
    (row,) = read(sheet).rows
    assert row.first_increment_s is not None
    assert row.next_increment_s is not None
    for seconds in range(1, 200):
        theirs = -(-max(seconds, first) // block) * block
        ours = billed_seconds(seconds, first=row.first_increment_s, following=row.next_increment_s)
        assert ours == theirs, seconds


@pytest.mark.parametrize("column", ["additional_grace", "disconnectcharge", "stepchargea", "minimal_cost"])
def test_what_a_row_cannot_say_is_refused_where_it_is_not_zero(column: str) -> None:
    sheet = f"dialprefix,destination,rateinitial,{column}\n44,UK,0.1,0\n33,France,0.1,5\n"
    found = read(sheet)
    assert [row.prefix for row in found.rows] == ["44"]
    assert refused(found) == [(3, column)]


def test_astpp_is_read_and_its_grace_time_refused() -> None:
    head = "Code,Destination,Connection Cost (USD),Grace Time,Cost / Min (USD),Initial Increment,Increment\n"
    found = read(f"{head}1,USA,0.02,0,0.01,30,60\n44,UK,0,5,0.02,60,60\n")
    (usa,) = found.rows
    assert (usa.per_minute, usa.connect_fee) == (1_000_000, 2_000_000)
    assert (usa.first_increment_s, usa.next_increment_s) == (30, 60)
    assert refused(found) == [(3, "Grace Time")]
    assert "package" in found.errors[0].remedy
    assert refused(read(head.replace("USD", "EUR") + "1,USA,0,0,0.01,30,60\n")) == [(1, "currency")]


def test_magnusbilling_is_read_by_the_order_of_its_columns() -> None:
    mapping = """
        increments = "blocks"
        positions = [
            "prefix", "destination", "rate_per_min", "first_increment", "next_increment", "free_below",
        ]
    """
    found = read("55,Brazil,0.08,30,6,0\n5511,São Paulo,0.06,30,6,3\n", mapping=mapping)
    assert found.prices == {"55": 8_000_000}
    assert refused(found) == [(2, "free_below")]


def test_yeti_is_read_with_two_rates_lengths_and_fees() -> None:
    head = (
        "Id,Enabled,Prefix,Dst number min length,Dst number max length,Country name,Network name,"
        "Reject calls,"
        "Initial interval,Next interval,Initial rate,Next rate,Connect fee,Attempt fee,Currency name,"
        "Valid from,Valid till,CDO\n"
    )
    found = read(
        f"{head}1,true,4420,11,12,United Kingdom,BT,false,30,6,0.10,0.05,0.01,0.001,USD,"
        "2026-04-01 00:00:00 UTC,2027-01-01 00:00:00 UTC,\n"
        "2,true,4470,11,12,United Kingdom,Personal,true,30,6,0.10,0.05,0,0,USD,2026-04-01,,\n"
        "3,false,33,9,12,France,,false,1,1,0.1,0.1,0,0,USD,2026-04-01,,\n"
        "4,true,34,9,12,Spain,,false,1,1,0.1,0.1,0,0,USD,2026-04-01,,2\n",
        kind="cost",
    )
    london, personal = found.rows
    assert (london.per_minute, london.next_per_minute, london.attempt_fee) == (10_000_000, 5_000_000, 100_000)
    assert (london.number_digits_min, london.number_digits_max) == (11, 12)
    assert london.destination == "United Kingdom, BT"
    assert (london.valid_from, london.valid_till) == (day(2026, 4, 1), day(2027, 1, 1))
    assert (personal.blocked, london.blocked) == (True, False)
    assert [each.kind for each in found.findings] == [FindingKind.LEFT_OUT]
    assert refused(found) == [(5, "CDO")]


def test_a_fee_for_each_attempt_is_refused_on_a_sell_deck() -> None:
    """Nobody pays for a call that was not answered (F049)."""
    found = read(
        "prefix,destination,rate_per_min,attempt_fee\n44,UK,0.10,0.01\n33,France,0.10,0\n34,Spain,0.10,\n"
    )
    assert found.prices == {"33": 10_000_000, "34": 10_000_000}
    assert refused(found) == [(2, "attempt_fee")]


def test_a_fee_for_each_attempt_is_refused_on_a_sell_deck_by_position_too() -> None:
    mapping = 'positions = ["prefix", "destination", "rate_per_min", "attempt_fee"]'
    sheet = "44,UK,0.10,0.01\n33,France,0.10,0\n"
    found = read(sheet, mapping=mapping)
    assert (found.prices, refused(found)) == ({"33": 10_000_000}, [(1, "attempt_fee")])
    assert len(read(sheet, mapping=mapping, kind="cost").rows) == 2


def test_positions_name_a_prefix_and_a_price_and_each_field_once() -> None:
    assert refused(read("44,UK\n", mapping='positions = ["prefix", "destination"]')) == [(0, "rate_per_min")]
    assert refused(read("UK,0.1\n", mapping='positions = ["destination", "rate_per_min"]')) == [(0, "prefix")]
    with pytest.raises(MappingRefused, match="'prefix' stands there twice"):
        read_mapping('positions = ["prefix", "prefix", "ignore", "ignore"]')


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    found = read(
        "prefix,destination,rate_per_min\n4425-4420,UK,0.10\n44-20,London,0.10\n1-264,Anguilla,0.20\n"
    )
    assert found.prices == {"4420": 10_000_000, "1264": 20_000_000}
    assert refused(found) == [(2, "prefix")]


def test_cgrates_is_read_from_its_three_files(tmp_path: Path) -> None:
    """W-01: 0.006 a minute by 30/6 is two intervals there."""
    (tmp_path / "Destinations.csv").write_text("#Id,Prefix\nDST_UK,44\nDST_UK,4420\nDST_FR,33\n")
    (tmp_path / "Rates.csv").write_text(
        "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\n"
        "RT_1,0.02,0.006,60s,30s,0s\nRT_1,0.02,0.006,60s,6s,30s\n"
        "RT_2,0,0.001,1s,1s,0s\nRT_3,0,0.4,60s,30s,0s\nRT_3,0,0.2,60s,10s,60s\n"
    )
    (tmp_path / "DestinationRates.csv").write_text(
        "#Id,DestinationId,RatesTag,RoundingMethod\nDR_1,DST_UK,RT_1,*up\nDR_1,DST_FR,RT_2,*up\n"
        "DR_1,DST_FR,RT_3,*up\nDR_1,DST_XX,RT_1,*up\n"
    )
    found = read_path(tmp_path)
    assert found.prices == {"44": 600_000, "4420": 600_000, "33": 6_000_000}
    first = found.rows[0]
    assert (first.first_increment_s, first.next_increment_s, first.connect_fee) == (30, 6, 2_000_000)
    assert refused(found) == [(4, "row"), (5, "row")]


def test_a_bound_of_cgrates_that_a_row_cannot_say_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Destinations.csv").write_text("DST_UK,44\nDST_FR,33\n")
    (tmp_path / "Rates.csv").write_text("RT_1,0,0.1,60s,1s,0s\n")
    (tmp_path / "DestinationRates.csv").write_text(
        "DR_1,DST_UK,RT_1,*up,4,0,\nDR_1,DST_FR,RT_1,*up,4,0.50,*free\n"
    )
    found = read_path(tmp_path)
    assert (found.prices, refused(found)) == ({"44": 10_000_000}, [(2, "row")])
    assert "--call-price-max" in found.errors[0].remedy


def test_another_rounding_of_cgrates_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "Destinations.csv").write_text("DST_UK,44\nDST_UK,4420\nDST_FR,33\nDST_DE,49\nDST_ES,34\n")
    (tmp_path / "Rates.csv").write_text("RT_1,0,0.1,60s,1s,0s\n")
    (tmp_path / "DestinationRates.csv").write_text(
        "DR_1,DST_DE,RT_1,*middle,4,0,\nDR_1,DST_UK,RT_1,*up,4,0,\nDR_1,DST_FR,RT_1,*up,4,0,\n"
        "DR_1,DST_ES,RT_1,*down,2,0,\n"
    )
    found = read_path(tmp_path)
    assert sorted(found.prices) == ["33", "34", "44", "4420", "49"]
    assert [(each.kind, each.row) for each in found.findings] == [
        (FindingKind.ROUNDING, 2),
        (FindingKind.ROUNDING, 4),
    ]
    assert "'*up 4'" in found.findings[0].text


def test_freeside_is_read_with_the_name_of_its_plan_in_the_header() -> None:
    head = (
        "Region Number,Region Name,Country Code,Prefixes,Basic: Included minutes/calls,"
        "Basic: Charge per minute/call,Basic: Granularity,Basic: Usage Class\n"
    )
    found = read(f'{head}1,London,44,"4420,44207",0,0.05,6 second,\n2,France,33,33,100,0.05,minute,\n')
    assert found.prices == {"4420": 5_000_000, "44207": 5_000_000}
    assert (found.rows[0].first_increment_s, found.rows[0].next_increment_s) == (6, 6)
    assert refused(found) == [(3, "Basic: Included minutes/calls")]


def test_portaone_calls_the_prefix_destination() -> None:
    head = (
        "Destination,Country,Description,Interval First,Interval Next,Price First,Price Next,"
        "Off-peak Price First,Effective From,Forbidden\n"
    )
    found = read(f"{head}4420,United Kingdom,London,30,6,0.10,0.05,0.02,01-APR-2026,N\n")
    assert found.prices == {"4420": 10_000_000, "offpeak:4420": 2_000_000}
    row = found.rows[0]
    assert (row.destination, row.next_per_minute) == ("United Kingdom, London", 5_000_000)
    assert (row.first_increment_s, row.next_increment_s) == (30, 6)
    assert row.valid_from == day(2026, 4, 1)


def test_portaones_off_peak_columns_are_terms_of_the_off_peak_row_alone() -> None:
    head = (
        "Destination,Description,Interval 1,Interval N,Price 1,Price N,"
        "Off-peak Interval 1,Off-peak Interval N,Off-peak Price 1,Off-peak Price N\n"
    )
    day_time, off = read(f"{head}49,Germany,30,6,0.05,0.04,60,60,0.03,0.02\n").rows
    assert (day_time.band, day_time.per_minute, day_time.next_per_minute) == ("", 5_000_000, 4_000_000)
    assert (day_time.first_increment_s, day_time.next_increment_s) == (30, 6)
    assert (off.band, off.per_minute, off.next_per_minute) == ("offpeak", 3_000_000, 2_000_000)
    assert (off.first_increment_s, off.next_increment_s) == (60, 60)
    # Without a next price of its own, an off-peak minute does not become dearer after the first increment.
    _, flat = read("Code,Destination,Price 1,Price N,Off-peak Price 1\n49,Germany,0.05,0.04,0.03\n").rows
    assert (flat.per_minute, flat.next_per_minute) == (3_000_000, None)


def test_a_portaone_rate_that_is_discontinued_or_forbidden_blocks_and_as_soon_as_possible_is_no_date() -> (
    None
):
    head = "Country,Description,Prefix,Effective from,Rate Id,Forbidden,Discontinued,Price 1,Interval 1\n"
    found = read(
        f"{head}UK,Mobile,4477,ASAP,7,0,0,0.0125,1\nUK,,44,2027-01-01 00:00:00,8,0,1,0.01,1\n"
        "FR,,33,asap,9,Y,N,0.01,1\n"
    )
    assert [(row.prefix, row.blocked) for row in found.rows] == [("4477", False), ("44", True), ("33", True)]
    assert [row.valid_from for row in found.rows] == [UNDATED, day(2027, 1, 1), UNDATED]


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("Code,Destination,Connect Cost,Included Seconds,Per Minute Cost,Increment,", "44,UK,0,0,0.1,60,"),
        (
            "rateplan_name,prefix,initial_rate,next_rate,rate_policy_name,network_name",
            "Main,44,0.1,0.1,Fixed,UK",
        ),
        ("ISO,Country,Destination Prefixes,Rate,Price Per Call,Interval 1,Interval N", "GB,UK,44,0.1,,60,60"),
        ("Destination name,Country code / Prefix,Rate (per minute)", "UK,44,0.1"),
        ("dest_prefix,dest_detail,conn_charge,min_charge,sec_granularity,region", "44,x,0,0.1,60,UK"),
    ],
)
def test_exports_of_other_systems_are_read_as_they_come(head: str, line: str) -> None:
    found = read(f"{head}\n{line}\n")
    assert (found.prices, found.errors) == ({"44": 10_000_000}, [])


def test_a_row_that_ends_in_a_delimiter_may_have_a_comma_in_a_name_so_the_header_must_end_in_one() -> None:
    """ASTPP's own sample is so; but `44,Zone,5,0.1,` may be zone "Zone,5" at 0.1 without a fee."""
    found = read("prefix,destination,rate,connect fee\n44,Zone,5,0.1,\n")
    assert refused(found) == [(2, "row")]
    assert "let the header end in one too" in found.errors[0].remedy


def test_a_carriers_sheet_with_titles_above_its_header_lists_and_advice() -> None:
    sheet = (
        "Alphatel International;;;;;;\n;;;;;;\nRates valid from 1 April 2026;;;;;;\n"
        "Country Code;Area Codes;Destination;Rate;Billing Increments;Effective Date;Status\n"
        "61;38,39;Australia, Brisbane;0,0850;30/6;01.04.2026;Increase\n"
        "61;;Australia;0,0290;1-1;20260401;New\n"
        "44;70-79;UK special;0;60/60;01.04.2026;Closed\n"
    )
    found = read(sheet)
    assert found.errors == []
    assert found.prices == {"6138": 8_500_000, "6139": 8_500_000, "61": 2_900_000, "447": 0}
    assert [line.status for line in found.lines] == [Status.INCREASED, Status.NEW, Status.CLOSED]
    assert [row.blocked for row in found.rows] == [False, False, False, True]
    assert {row.valid_from for row in found.rows} == {day(2026, 4, 1)}
    assert (found.rows[0].first_increment_s, found.rows[0].next_increment_s) == (30, 6)


def test_surcharges_by_origin_class_are_read() -> None:
    found = read("prefix,destination,rate,EEA surcharge,Non-EEA surcharge\n33,France,0.02,,0.25\n")
    assert found.rows[0].surcharges == (None, None, 25_000_000, None)


# prefixes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4470,4471", ["4470", "4471"]),
        ("4470; 4471", ["4470", "4471"]),
        ("61 38,39", ["6138", "6139"]),
        ("+44 20", ["4420"]),
        ("1-809", ["1809"]),
        ("1-242-359", ["1242359"]),
        ("44 - 20", ["4420"]),
        ("44-20 - 44-29", ["442"]),
        ("4470\u20134479", ["447"]),
        ("4470-4479", ["447"]),
        ("447700-447719", ["44770", "44771"]),
        ("4470-4470", ["4470"]),
        ("4470-4471, 4475", ["4470", "4471", "4475"]),
    ],
)
def test_a_prefix_cell_may_be_a_list_or_a_range(text: str, expected: list[str]) -> None:
    assert [row.prefix for row in read(f'{PLAIN_HEADER}"{text}",X,0.1\n').rows] == expected


@pytest.mark.parametrize(
    "text",
    [
        *("4.42E+11", "44 20,4416", "0044", "4470,,4471", "44,44", "33-75", "1e3", "44x", "٤٤"),
        *("1-99999999", "4420-44299", "44-4479", "4420 - 44 29 5", "44 20-7,8", "4420-79-46"),
    ],
)
def test_a_prefix_that_may_mean_two_things_or_none_is_refused(text: str) -> None:
    assert refused(read(f'{PLAIN_HEADER}"{text}",X,0.1\n')) == [(2, "prefix")]


def test_a_range_becomes_the_fewest_prefixes_that_cover_it() -> None:
    for first, last in ((4400, 4499), (4405, 4417), (4499, 4501), (1000, 9999)):
        found = covering(str(first), str(last))
        covered = {number for number in range(1000, 10000) if str(number).startswith(found)}
        assert covered == set(range(first, last + 1))


def test_a_lost_leading_zero_and_an_unknown_country_are_told() -> None:
    found = read(
        "country code,area code,destination,rate\n39,6,Rome,0.1\n39,06,Rome,0.1\n999,1,Nowhere,0.1\n"
    )
    kinds = [(each.row, each.kind) for each in found.findings]
    assert kinds == [(2, FindingKind.LOST_ZERO), (4, FindingKind.UNKNOWN_COUNTRY)]


def test_a_name_that_begins_like_a_formula_is_refused_and_a_dash_for_no_name_is_not() -> None:
    found = read(PLAIN_HEADER + "44,=1+1,0.1\n33,-,0.1\n39,-2+3,0.1\n")
    assert refused(found) == [(2, "destination"), (4, "destination")]
    assert set(found.prices) == {"33"}


# prices


def test_prices_for_a_second_are_said_to_be_so_and_become_exact_prices_for_a_minute() -> None:
    sheet = "prefix,destination,rate\n44,UK,0.00141666\n33,France,0.0001\n"
    assert read(sheet, mapping='per = "second"').prices == {"44": 8_499_960, "33": 600_000}
    said = read("prefix,destination,rate per second\n44,UK,0.001\n")
    assert refused(said) == [(1, "rate_per_min")]
    assert said.errors[0].remedy == "say --per second"


def test_a_decimal_comma_is_read_unless_it_may_separate_thousands() -> None:
    sheet = "prefix;destination;rate\n44;UK;0,085\n33;France;1,085\n49;Germany;1.085,00\n"
    found = read(sheet)
    assert found.prices == {"44": 8_500_000}
    assert refused(found) == [(3, "rate_per_min"), (4, "rate_per_min")]
    assert read(sheet, mapping='decimal = "comma"').prices == {"44": 8_500_000, "33": 108_500_000}
    assert refused(read("prefix;destination;rate\n44;UK;0.1\n", mapping='decimal = "comma"'))


# dates


@pytest.mark.parametrize(
    "text", ["2026-04-01", "20260401", "01.04.2026", "1.4.2026", "2026/04/01", "1 Apr 2026"]
)
def test_dates_that_can_mean_one_day_only_are_read(text: str) -> None:
    (row,) = read(f"prefix,destination,rate,effective date\n44,UK,0.1,{text}\n").rows
    assert row.valid_from == day(2026, 4, 1)


def test_day_or_month_first_is_stated_and_never_guessed() -> None:
    sheet = "prefix,destination,rate,effective date\n44,UK,0.1,04/03/2026\n33,France,0.1,25/12/2026\n"
    assert refused(read(sheet)) == [(2, "effective_date"), (3, "effective_date")]
    assert [row.valid_from for row in read(sheet, mapping='dates = "dmy"').rows] == [
        day(2026, 3, 4),
        day(2026, 12, 25),
    ]
    american = read(sheet, mapping='dates = "mdy"')
    assert [row.valid_from for row in american.rows] == [day(2026, 4, 3)]
    assert refused(american) == [(3, "effective_date")]


# files


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_delimiter_encoding_and_line_end(delimiter: str, encoding: str, end: str) -> None:
    rows = [["prefix", "destination", "rate"], ["55", "São Paulo", "0.1"], ["33", "Réunion", "0.2"]]
    text = end.join(delimiter.join(row) for row in rows) + end
    found = read(text.encode(encoding))
    assert found.errors == []
    assert [row.destination for row in found.rows] == ["São Paulo", "Réunion"]


def test_quotes_may_hold_delimiters_quotes_and_in_headers_line_ends() -> None:
    found = read('Prefix,"Destination\nName","Rate\n(USD)"\n44,"UK, ""London""",0.1\n')
    assert found.rows[0].destination == 'UK, "London"'


def test_a_line_without_end_is_skipped_in_pieces_and_named() -> None:
    long = b"44,UK," + b"9" * (LINE_CHARACTERS_MAX * 10)
    found = read(PLAIN_HEADER.encode() + long + b"\n33,France,0.1\n")
    assert refused(found) == [(2, "row")]
    assert found.prices == {"33": 10_000_000}


def test_unknown_columns_are_told_and_those_that_touch_prices_are_refused() -> None:
    found = read("prefix,destination,rate,colour\n44,UK,0.1,red\n")
    assert [each.kind for each in found.findings] == [FindingKind.UNUSED_COLUMN]
    assert len(found.rows) == 1
    assert refused(read("prefix,destination,rate,Weekend\n44,UK,0.1,0.05\n")) == [(1, "Weekend")]
    sheet = "prefix,destination,rate,weekend discount\n44,UK,0.1,0.05\n"
    assert refused(read(sheet)) == [(1, "weekend discount")]
    mapped = read(sheet, mapping='[columns]\n"Weekend Discount" = "ignore"\n')
    assert (mapped.errors, len(mapped.rows)) == ([], 1)


def test_a_mapping_names_columns_that_nobody_knows() -> None:
    mapping = '[columns]\n"Zielwahl" = "prefix"\n"Ziel" = "destination"\n"Preis" = "rate_per_min"\n'
    assert read("Zielwahl;Ziel;Preis\n44;UK;0,1\n", mapping=mapping).prices == {"44": 10_000_000}


# workbooks


def test_numbers_of_a_workbook_are_exactly_what_it_shows() -> None:
    content = workbook(
        ["Code", "Destination", "Rate"],
        [44, "UK", 0.085],
        [447, "UK mobile", 0.1 + 0.2],
        ["0039", "Italy", 0.1],
        [33, "France", 1e-8],
    )
    found = read(content)
    assert found.prices == {"44": 8_500_000, "447": 30_000_000, "33": 1}
    assert refused(found) == [(4, "prefix")]


def test_dates_of_a_workbook_are_exact_and_need_no_order() -> None:
    moment = datetime(2026, 4, 3, 6, 30, 15)  # noqa: DTZ001 - a spreadsheet knows no zones
    content = workbook(["Code", "Destination", "Rate", "Effective Date"], [44, "UK", 0.1, moment])
    (row,) = read(content).rows
    assert row.valid_from == micros(moment.replace(tzinfo=UTC))


def test_a_formula_is_refused_by_the_name_of_its_cell() -> None:
    found = read(workbook(["Code", "Destination", "Rate"], [44, "UK", "=0.1*2"], [33, "France", 0.1]))
    assert refused(found) == [(2, "Rate")]
    assert "cell C2 is a formula" in str(found.errors[0])
    assert found.prices == {"33": 10_000_000}


def test_rows_of_a_workbook_may_be_short_and_empty() -> None:
    found = read(workbook(["Rates"], [], ["Code", "Destination", "Rate", "Effective"], [44, "UK", 0.1], []))
    assert found.rows[0].valid_from == UNDATED
    assert found.errors == []


def test_a_workbook_that_would_fill_the_memory_is_refused_before_it_is_unpacked() -> None:
    content = workbook(["Code", "Destination", "Rate"], [44, "UK", 0.1])
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.infolist():
            data = source.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                data = data.replace(b"</sheetData>", b" " * 50_000_000 + b"</sheetData>")
            target.writestr(part.filename, data)
    with pytest.raises(Stop, match="would unpack to 47 MB"):
        read(bomb.getvalue())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0", "old .xls"),
        (b"%PDF-1.4", "PDF"),
        (b"PK\x03\x04junk", "no sound .xlsx"),
        (b"\x1f\x8b\x08", "gzip: unpack it"),
    ],
)
def test_files_of_other_kinds_are_refused_with_what_to_send(content: bytes, said: str) -> None:
    with pytest.raises(Stop, match=said):
        read(content)


def test_an_archive_that_holds_no_workbook_is_to_be_unpacked() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("rates.csv", f"{PLAIN_HEADER}44,UK,0.1\n")
    with pytest.raises(Stop, match="no workbook: unpack it"):
        read(archive.getvalue())


def test_entities_in_a_workbook_are_refused() -> None:
    content = workbook(["Code", "Destination", "Rate"], [44, "UK", 0.1])
    evil = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(evil, "w") as target:
        for part in source.infolist():
            data = source.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                data = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + data
            target.writestr(part.filename, data)
    with pytest.raises(Stop, match="entities"):
        read(evil.getvalue())


# samples


def test_the_sample_sheet_of_a_carrier_and_the_sample_mapping_are_sound() -> None:
    found = read_path(SAMPLES / "carrier-sheet-example.csv", kind="cost")
    assert found.errors == []
    assert sorted(row.prefix for row in found.rows) == ["44", "447", "449", "61", "6138", "6139", "614"]
    mapping = (SAMPLES / "mapping-example.toml").read_text(encoding="utf-8")
    sheet = "Zielwahl;Ziel;Preis je Minute;Nachtrabatt\n44;UK;1,085;50\n"
    assert read(sheet, mapping=mapping).prices == {"44": 108_500_000}
