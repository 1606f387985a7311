"""The forms of an invoice: same totals, same bytes, nothing hostile gets through."""

import csv
import io
import json
import re
import resource
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from priced import BUYER, SELLER, ALegPolicy, a_plan, a_rate, an_invoice, rated
from pypdf import PdfReader

from billing import printed
from billing.invoice import Invoice
from billing.page import page_of
from billing.particulars import Item, ItemKind, Party, Payment, TaxGroup
from billing.plaintext import WIDTH
from billing.postal import postal_lines
from billing.render import to_csv, to_html, to_json, to_pdf, to_table, to_typst
from billing.tax import TaxCategory

MARCH = datetime(2026, 3, 10, 8, tzinfo=UTC)
HOSTILE = '#import "@preview/x:1.0.0" $x$ *b* _i_ `r` <l> @ref \\ "] #sys.exit() =cmd|\' /C calc\'!A0'
UNSEEN = "Eve\u202eniwdoG\x1b[31m\r\nTotal\u2028 0.00\x00\u200f"


def month_of_calls(calls: int = 7) -> Invoice:
    sessions = [
        rated(number, start=MARCH + timedelta(hours=number), b_seconds=(35 + number,))
        for number in range(calls)
    ]
    return an_invoice(sessions, tax=TaxGroup(label="VAT", percent=Decimal(20)))


def csv_rows(invoice: Invoice) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(invoice))))


def test_R15_F144_text_csv_and_json_have_the_same_total() -> None:
    invoice = month_of_calls()
    total = invoice.totals.total
    assert total == Decimal("2.18")  # 1.8200 and 0.36 of tax
    assert Decimal(json.loads(to_json(invoice))["totals"]["total"]) == total
    rows = csv_rows(invoice)
    assert rows[-1]["kind"] == "total"
    assert Decimal(rows[-1]["amount"]) == total
    assert sum(Decimal(row["amount"]) for row in rows[:-1]) == total
    assert f"USD {total}" in to_table(invoice)
    assert ["Total of this invoice", str(total)] in json.loads(to_typst(invoice).data)["sums"]


def test_F144_each_line_can_be_recomputed_from_its_own_fields() -> None:
    for row in csv_rows(month_of_calls()):
        if row["kind"] in {"a_leg", "b_leg"}:
            exact = Decimal(row["billed_seconds"]) * Decimal(row["rate_per_minute"]) / 60
            assert abs(exact - Decimal(row["amount"])) <= Decimal("0.00005")


def test_every_leg_is_in_every_form() -> None:
    invoice = month_of_calls()
    document = json.loads(to_json(invoice))
    legs = [line.leg_id for line in invoice.lines]
    assert [line["leg_id"] for session in document["sessions"] for line in session["lines"]] == legs
    assert [row["leg_id"] for row in csv_rows(invoice) if row["leg_id"]] == legs
    assert to_table(invoice).count("+12125550100") == 7


def test_F078_the_same_invoice_has_the_same_bytes() -> None:
    one, other = month_of_calls(), month_of_calls()
    assert to_json(one) == to_json(other)
    assert to_csv(one) == to_csv(other)
    assert to_table(one) == to_table(other)
    assert to_pdf(one) == to_pdf(other)


def going_to(invoice: Invoice, destination: str) -> Invoice:
    """The same calls, but each second line goes to that destination."""
    sessions = tuple(
        replace(
            session,
            lines=tuple(
                replace(line, destination=destination) if index % 2 else line
                for index, line in enumerate(session.lines)
            ),
        )
        for session in invoice.sessions
    )
    return replace(invoice, sessions=sessions)


@pytest.mark.parametrize(
    "destination",
    [
        "",
        "France",
        "Bosnia and Herzegovina",
        "w" * 24,
        "Bosnia and Herzegovina, mobile " * 3,
        "日本 携帯",
        "Ελλάδα",
    ],
)
def test_a_row_whose_height_is_told_is_printed_as_one_that_learns_its_height(
    destination: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = going_to(month_of_calls(30), destination)
    told = to_pdf(invoice)
    source = to_typst(invoice).source
    assert source.count("    rows: heights(it.sessions),\n") == 1
    learning = source.replace("    rows: heights(it.sessions),\n", "")
    monkeypatch.setattr("billing.paper._template", lambda: learning)
    assert to_pdf(invoice) == told


def test_a_long_sum_below_the_calls_leaves_their_destinations_less_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def page(invoice: Invoice) -> dict[str, object]:
        made = page_of(invoice)
        return {**made, "together": [*made["together"][:-1], "123,456,789,012.0000"]}

    monkeypatch.setattr("billing.paper.page_of", page)
    for words in range(8, 12):
        invoice = going_to(month_of_calls(2), "far " * words)
        told = to_pdf(invoice)
        with monkeypatch.context() as patch:
            learning = to_typst(invoice).source.replace("    rows: heights(it.sessions),\n", "")
            patch.setattr("billing.paper._template", lambda source=learning: source)
            assert to_pdf(invoice) == told, words


def test_F078_a_paper_has_the_same_bytes_whatever_was_printed_before_it() -> None:
    first = to_pdf(month_of_calls(20))
    to_pdf(going_to(month_of_calls(20), "日本 携帯"))
    assert to_pdf(month_of_calls(20)) == first


def test_a_process_that_prints_many_papers_keeps_the_work_of_none() -> None:
    held = []
    for calls in range(40, 52):
        to_pdf(month_of_calls(calls))
        held.append(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20)
    assert held[-1] - held[2] < 60  # typst would keep ten papers: 150 MiB and more


def test_the_PDF_is_dated_as_told_or_on_the_day_of_issue() -> None:
    invoice = month_of_calls(1)
    assert b"20260401" in to_pdf(invoice)
    assert b"20260405" in to_pdf(invoice, created_at=datetime(2026, 4, 5, 12, tzinfo=UTC))


def test_json_amounts_are_texts_so_that_nobody_reads_a_float() -> None:
    assert "Decimal" not in to_json(month_of_calls())
    json.loads(to_json(month_of_calls()), parse_float=lambda text: pytest.fail(f"a float: {text}"))


def test_a_month_without_calls_prints() -> None:
    invoice = an_invoice([], number="")
    assert "No calls in this period." in to_table(invoice)
    assert "DRAFT" in to_table(invoice)
    assert to_pdf(invoice).startswith(b"%PDF")
    assert [row["kind"] for row in csv_rows(invoice)] == ["rounding", "total"]


def test_a_month_without_calls_has_no_table_of_them_in_any_form() -> None:
    invoice = an_invoice([])
    for form in (to_table(invoice), to_html(invoice), *pages(invoice)):
        assert "No calls in this period." in form
        for told in ("Calls by", "TALK", "Talk  ", ">Talk<", "All calls"):
            assert told not in form


def test_every_form_counts_a_callback_as_one_call() -> None:
    nights = [rated(number, start=MARCH, b_seconds=(40, 50), subscriber="Ada") for number in (1, 2)]
    invoice = an_invoice(nights)
    (page,) = pages(invoice)
    for form in (to_table(invoice), " ".join(page.split()), re.sub(r"<[^>]*>|\s+", " ", to_html(invoice))):
        assert re.search(r"2026-03-10 +2 +00:0", form)
        assert re.search(r"All calls(, USD)? +2 +00:0", form)
    document = json.loads(to_json(invoice))
    assert [each["calls"] for each in document["by_day"]] == [2]
    assert [each["calls"] for each in document["by_destination"]] == [2, 2]
    assert document["all_calls"]["calls"] == 2
    assert len({row["callback_id"] for row in csv_rows(invoice) if row["callback_id"]}) == 2


def test_points_of_a_column_stand_below_points_in_every_form_that_people_read() -> None:
    assert printed.lacking(["0.9100", "-12.40", "7", "1,000.0"]) == ["", "00", ".0000", "000"]
    assert printed.lacking(["1", "20"]) == ["", ""]
    assert printed.lacking([]) == []
    invoice = month_of_calls()
    sums = [line for line in to_table(invoice).splitlines() if " USD " in line]
    assert len({line.rindex(".") for line in sums}) == 1 < len(sums)
    html = to_html(invoice)
    assert '<td class="n" data-room="">1.8200</td>' in html
    assert '<td class="n" data-room="00">2.18</td>' in html
    assert "td.n[data-room]::after { content: attr(data-room); visibility: hidden; }" in html


@pytest.mark.parametrize(
    "text", [HOSTILE, UNSEEN, "", "x" * 5000, "\u6f22\u5b57 \u0627\u0644 \U0001f600", "\ud800"]
)
def test_a_hostile_name_is_printed_and_never_obeyed(text: str) -> None:
    party = Party(name=text, address=(text, text), tax_id=text, email=text, bank=(text,))
    session = rated(
        1, start=MARCH, subscriber=text, reference=text, rate_b=a_rate(destination=text[:100] or "x")
    )
    invoice = an_invoice([session], buyer=party, seller=party, account_id=text, number=text, dispute=text)
    assert to_pdf(invoice).startswith(b"%PDF")
    assert to_typst(invoice).source == to_typst(an_invoice([])).source
    assert to_csv(invoice).encode()
    assert to_json(invoice).encode()
    table = to_table(invoice)
    assert not {"\x1b", "\x00", "\r", "\u202e", "\u2028"} & set(table)


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "|x", "%x", " =1", "\u202e=1"])
def test_a_csv_cell_is_no_formula(text: str) -> None:
    session = rated(1, start=MARCH, subscriber=text, reference=text)
    for row in csv_rows(an_invoice([session])):
        assert row["subscriber"][:1] in {"", "'"}
        assert row["reference"][:1] in {"", "'"}


def test_numbers_stay_numbers_in_csv() -> None:
    assert csv_rows(month_of_calls(1))[1]["number"] == "+12125550100"
    assert printed.cell("-0.0017") == "-0.0017"


def test_F065_length_and_amounts_are_printed_plainly() -> None:
    assert printed.duration(90) == "00:01:30"
    assert printed.duration(360_000) == "100:00:00"
    assert printed.rate(Decimal("0.085")) == "0.0850"
    assert printed.rate(Decimal("0.00012345")) == "0.00012345"
    assert printed.rates(Decimal("0.2"), Decimal("0.1")) == "0.2000, then 0.1000"
    assert printed.amount_at_least(Decimal("12.4000"), 2) == "12.40"
    assert printed.amount_at_least(Decimal("12.4001"), 2) == "12.4001"
    assert printed.amount_at_least(Decimal(7), 0) == "7"


def test_a_local_time_says_its_offset() -> None:
    line = an_invoice([rated(1, start=MARCH)]).lines[0]
    assert printed.local_time(line.at) == "2026-03-10 09:00:00 +01:00"


def test_a_late_limit_is_a_line_of_its_own() -> None:
    session = rated(1, start=MARCH)
    invoice = an_invoice([replace(session, waived=Decimal("0.0017"))])
    assert invoice.totals.charges == Decimal("0.2700")
    assert "Over your limit, not charged" in to_table(invoice)
    assert to_pdf(invoice).startswith(b"%PDF")


def test_payments_and_what_was_owed_stand_in_every_form() -> None:
    paid = Payment(at=datetime(2026, 3, 5, 12, tzinfo=UTC), reference="SEPA 8842", amount=Decimal("12.4"))
    invoice = an_invoice([rated(1, start=MARCH)], payments=(paid,), previous_owed=Decimal("12.4001"))
    page = json.loads(to_typst(invoice).data)
    assert ["2026-03-05", "payment", "SEPA 8842", "-12.40"] in page["payments"]
    assert ["Payments and credits", "-12.40"] in page["sums"]
    assert [line.split()[-1] for line in to_table(invoice).splitlines() if "SEPA 8842" in line] == ["-12.40"]
    assert json.loads(to_json(invoice))["totals"]["amount_due"] == "0.2701"
    assert "USD 0.2701" in to_table(invoice)
    assert to_pdf(invoice).startswith(b"%PDF")


def test_each_payment_and_correction_bears_the_sign_and_decimals_of_their_sum() -> None:
    at = datetime(2026, 3, 5, 12, tzinfo=UTC)
    moved = (
        Payment(at=at, reference="bank", amount=Decimal("0.1")),
        Payment(at=at, reference="case 7", amount=Decimal(-30), kind="adjustment"),
    )
    page = json.loads(to_typst(an_invoice([rated(1, start=MARCH)], payments=moved)).data)
    assert [payment[-1] for payment in page["payments"]] == ["-0.10", "30.00"]
    assert ["Payments and credits", "29.90"] in page["sums"]


def test_what_is_in_the_account_s_favour_is_not_asked_for() -> None:
    assert "in your favour" in to_typst(an_invoice([], previous_owed=Decimal(-5))).data
    assert "Nothing is to be paid" in to_typst(an_invoice([])).data
    assert "Please pay by 2026-04-15" in to_typst(an_invoice([rated(1, start=MARCH)])).data


def test_a_draft_asks_for_nothing_whatever_it_sums_to() -> None:
    for sessions, owed in (([rated(1, start=MARCH)], Decimal(0)), ([], Decimal(0)), ([], Decimal(-5))):
        draft = an_invoice(sessions, number="", previous_owed=owed)
        page, table = to_typst(draft).data, to_table(draft)
        for form in (page, table):
            assert "A draft of the calls so far: nothing is due yet." in form
            assert "Owed so far" in form
            assert "2026-04-15" not in form
            assert "Amount due" not in form
        assert "Please pay" not in page
        assert "in your favour" not in page
        assert to_pdf(draft) == to_pdf(draft)
        assert json.loads(to_json(draft))["draft"] is True


def test_both_sides_stand_in_the_text_form() -> None:
    table = to_table(month_of_calls())
    assert SELLER.name in table
    assert "Northwind Travel SARL (account northwind)" in table
    assert "12 Exchange Yard, London EC1A 1AA" in table
    assert "Tax id GB 123 4567 89" in table
    assert "Tax id FR 40 303 265 045" in table
    assert "\nDue         2026-04-15\n" in table


def pages(invoice: Invoice) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(to_pdf(invoice))).pages]


def dear_month() -> Invoice:
    return an_invoice([rated(1, start=MARCH, b_seconds=(7200,), rate_b=a_rate("9500.25"))])


def test_a_short_invoice_is_one_page_and_the_seller_stands_with_name_and_address_at_its_head() -> None:
    (page,) = pages(month_of_calls(3))
    head = page.partition("Billed to".upper())[0]
    for told in (SELLER.name, "12 Exchange Yard", "London EC1A 1AA", "Tax id GB 123 4567 89"):
        assert told in head
    assert "Page 1 of 1" in page


def test_a_short_invoice_with_all_that_one_can_have_is_one_page() -> None:
    reverse = TaxGroup(
        label="VAT",
        percent=Decimal(0),
        category=TaxCategory.REVERSE_CHARGE,
        text="Reverse charge: the recipient accounts for the VAT (Article 196, Directive 2006/112/EC).",
    )
    invoice = an_invoice(
        [
            rated(number, start=MARCH + timedelta(days=number), subscriber=f"Traveller {number}")
            for number in range(3)
        ],
        tax=reverse,
        seller=replace(SELLER, country="GB"),
        buyer=replace(BUYER, country="FR"),
        items=(Item(kind=ItemKind.FEE, name="Monthly fee, plan Traveller", amount=Decimal("4.00")),),
        payments=(Payment(at=MARCH, reference="SEPA 8842", amount=Decimal("12.4")),),
        previous_owed=Decimal("12.40"),
    )
    (page,) = pages(invoice)
    assert "Page 1 of 1" in page


@pytest.mark.parametrize(
    ("address", "country", "printed_as"),
    [
        (("75005 Paris", "France"), "FR", ("75005 Paris", "France")),
        (("75005 Paris",), "FR", ("75005 Paris", "France")),
        (("75005 Paris, FRANCE.",), "FR", ("75005 Paris, FRANCE.",)),
        (("10117 Berlin", "Deutschland", ""), "DE", ("10117 Berlin", "Deutschland", "")),
        (("London EC1A 1AA, UK",), "GB", ("London EC1A 1AA, UK",)),
        (("Newfrance",), "FR", ("Newfrance", "France")),
        (("Sydney NSW 2000",), "", ("Sydney NSW 2000",)),
        ((), "US", ("United States",)),
        (("somewhere",), "XX", ("somewhere", "XX")),
    ],
)
def test_a_country_is_printed_once_whether_the_address_ends_in_it_or_not(
    address: tuple[str, ...], country: str, printed_as: tuple[str, ...]
) -> None:
    assert postal_lines(Party(name="One", address=address, country=country)) == printed_as


def test_both_sides_name_their_country_once_in_every_form() -> None:
    invoice = an_invoice([], seller=replace(SELLER, country="GB"), buyer=replace(BUYER, country="FR"))
    for form in (to_table(invoice), to_html(invoice), *pages(invoice)):
        assert form.count("United Kingdom") == form.count("France") == 1
        assert not re.search(r"\b(GB|FR)(\n|<|, *$)", form)


def test_a_long_invoice_repeats_its_head_on_every_page() -> None:
    first, *others = pages(month_of_calls(60))
    assert others
    for number, page in enumerate(others, 2):
        assert f"Page {number} of {len(others) + 1}" in page
        assert "RATE/MIN" in page or "How this invoice is reckoned" in page
    assert "RATE/MIN" in first


def test_people_read_thousands_apart_and_programs_plain_digits() -> None:
    invoice = dear_month()
    assert "USD 1,140,042.04" in to_table(invoice)
    assert "USD 1,140,042.04" in pages(invoice)[0]
    assert "1,140,042.04" in to_html(invoice)
    assert csv_rows(invoice)[-1]["amount"] == "1140042.04"
    assert json.loads(to_json(invoice))["totals"]["total"] == "1140042.04"
    assert [printed.grouped(text) for text in ("-1234.5678", "999.00", "0", "1000000")] == [
        *("-1,234.5678", "999.00", "0", "1,000,000"),
    ]


@pytest.mark.parametrize("text", ["x" * 5000, "word " * 50, "\u6f22\u5b57" * 30, HOSTILE])
def test_the_text_form_stays_within_its_width_and_cuts_no_figure(text: str) -> None:
    rate = a_rate("950.25", destination=f"Inmarsat {text}"[:100], connect_fee=Decimal("0.05"))
    session = rated(1, start=MARCH, b_seconds=(7000,), subscriber=text, rate_b=rate)
    told = to_table(an_invoice([session], buyer=Party(name=text, address=(text,))))
    figures = [line for line in told.splitlines() if line.endswith("110,862.5500")]
    assert len(figures) >= 2
    spaced = [line for line in told.splitlines() if " " in line.strip()]
    assert all(printed.width(line) <= WIDTH for line in spaced if text.isascii() and " " in text)
    assert "with a fee of 0.0500 for the call" in " ".join(told.split())


def test_east_asian_letters_take_two_columns_and_accents_none() -> None:
    assert printed.width("\u682a\u5f0f A") == 6
    assert printed.width("e\u0301") == 1
    assert printed.padded("\u6f22", 4) == "\u6f22  "
    assert printed.padded("\u6f22", -4) == "  \u6f22"


def test_an_address_that_fits_its_line_can_be_copied() -> None:
    seller = replace(SELLER, email="accounts-receivable@dialback.example")
    page = page_of(an_invoice([rated(1, start=MARCH)], seller=seller))
    assert ["E-mail", seller.email] in page["seller"]["particulars"]
    assert seller.email in page["dispute"]
    assert "\u200b" in page_of(an_invoice([], account_id="a" * 60))["facts"][4][1]


def test_a_tax_table_stands_only_where_there_is_more_than_the_sums_say() -> None:
    assert page_of(month_of_calls())["taxes"] == []


def test_R07_the_legend_says_which_seconds_of_the_A_leg_this_plan_charges() -> None:
    for policy, told in (
        (ALegPolicy.FROM_ANSWER, "from your answer to its end. Its minimum"),
        (ALegPolicy.FROM_ACCEPT, "from the first key you press to its end. Its minimum"),
        (ALegPolicy.IF_B_ANSWERED, "if a destination that is charged answered. Its minimum"),
        (ALegPolicy.WHILE_BRIDGED, "while you are connected to a charged destination. Its minimum"),
        (ALegPolicy.FREE, "The call to you is free."),
    ):
        invoice = an_invoice([], plan=a_plan(a_leg_policy=policy))
        for form in (to_table(invoice), to_html(invoice), " ".join(pages(invoice))):
            said = " ".join(form.split())
            assert told in said
            assert "answer to hang-up of each leg" not in said
            assert ("Its minimum" in said) is (policy is not ALegPolicy.FREE)


def test_the_legend_names_what_bounds_the_price_of_a_leg() -> None:
    plan = a_plan(call_price_min=Decimal("0.05"), call_price_max=Decimal(10))
    legend = an_invoice([], plan=plan).legend
    assert "A leg that is charged costs at least USD 0.05." in legend
    assert "A leg that is charged costs at most USD 10.00." in legend
