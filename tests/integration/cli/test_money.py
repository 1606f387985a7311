"""Payments, refunds, corrections, exchange rates, the ledger and the audit log from the command line."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from moneyed import Money
from office import Office, Outcome
from sqlalchemy import update
from storeworld import LONG_AGO, NOW, callback, play, story

from billing.ledger import EntryKind
from staff import exits
from staff.ledger import KINDS
from store import creditnotes, dunning
from store.audit import Author
from store.schema import accounts

PAY = ("payment", "add", "acme", "20", "--reference", "bank 1")


def show(office: Office, *words: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = office.done("ledger", "show", *words, "--output", "json").data
    return rows


def opened_long_ago(office: Office) -> None:
    office.store(lambda connection: connection.execute(update(accounts), {"created_at": LONG_AGO}))


def test_a_day_that_is_given_to_a_payment_is_one_of_the_accounts_zone(office: Office) -> None:
    opened_long_ago(office)
    office.done("account", "change", "acme", "--zone", "America/New_York", "--reason", "moved")
    office.done(*PAY, "--at", "2026-11-01")
    (row,) = show(office, "acme")
    assert datetime.fromisoformat(row["at"]) == datetime(2026, 11, 1, 4, tzinfo=UTC)
    office.done("payment", "add", "acme", "1", "--reference", "bank 2", "--at", "2026-11-02T00:00:00Z")
    assert datetime.fromisoformat(show(office, "acme")[1]["at"]) == datetime(2026, 11, 2, tzinfo=UTC)
    on = ("report", "ageing", "--on", "2026-11-02", "--output", "json")
    assert [row["credit"] for row in office.done(*on).data] == ["20.0000"]  # before that midnight of UTC
    assert [row["credit"] for row in office.done(*on, "--account", "acme").data] == ["21.0000"]


@pytest.mark.parametrize(
    "words",
    [("payment", "list"), ("ledger", "show"), ("credit-note", "list"), ("cdr",), ("callback", "list")],
)
def test_a_day_that_bounds_a_list_is_one_of_the_accounts_zone_or_of_the_zone_that_is_named(
    office: Office, words: tuple[str, ...]
) -> None:
    opened_long_ago(office)
    talked(office)  # at 09:00 UTC on 2 March: 01:00 in Los Angeles, 1 March in Honolulu
    then = Author(at=NOW, name="tests", reason="no sound")
    office.store(creditnotes.issue, "cb1-b1", Money("0.10", "USD"), "case 1", then)
    office.done("payment", "add", "acme", "5", "--reference", "bank 1", "--at", "2026-03-02T09:00:00Z")
    office.done("account", "change", "acme", "--zone", "Pacific/Honolulu", "--reason", "moved")

    def listed(*named: str) -> int:
        return len(office.done(*words, *named, "--output", "json").data)

    whose = ("acme",) if words == ("ledger", "show") else ("--account", "acme")
    of_march_2, till_march_2 = ("--from", "2026-03-02"), ("--till", "2026-03-02")
    every = listed(*whose)
    assert every > 0
    assert (listed(*whose, *of_march_2), listed(*whose, *till_march_2)) == (0, every)
    everywhere = listed()
    assert (listed(*of_march_2), listed(*till_march_2)) == (everywhere, 0)
    in_utc = (*whose, "--zone", "UTC")
    assert (listed(*in_utc, *of_march_2), listed(*in_utc, *till_march_2)) == (every, 0)


@pytest.mark.parametrize(
    "words",
    [
        ("payment", "list", "--from", "0001-01-01", "--zone", "Asia/Tokyo"),
        ("payment", "list", "--till", "9999-12-31T23:59:59", "--zone", "America/New_York"),
        ("payment", "add", "acme", "1", "--reference", "x", "--at", "9999-12-31T23:59:59-10:00"),
        ("report", "ageing", "--on", "0001-01-01", "--zone", "Asia/Tokyo"),
        ("rerate", "--from", "0001-01-01", "--till", "2026-01-01", "--zone", "Asia/Tokyo"),
    ],
)
def test_a_time_at_the_edge_of_the_calendar_is_refused_in_a_sentence(
    office: Office, words: tuple[str, ...]
) -> None:
    told = office(*words)
    assert told.code == exits.USAGE
    assert "is at the edge of the calendar" in told.err


def test_a_payment_of_a_day_to_come_or_before_the_account_is_refused(office: Office) -> None:
    for day, told in (("2099-01-01", "is still to come"), ("1926-01-01", "before account 'acme' was opened")):
        refused = office(*PAY, "--at", day)
        assert refused.code == exits.USAGE
        assert told in refused.err
    assert show(office, "acme") == []


def test_a_payment_given_twice_changes_nothing_and_says_so(office: Office) -> None:
    first, second = office.done(*PAY, "--output", "json"), office.done(*PAY, "--output", "json")
    assert first.data == second.data
    assert first.data["balance"] == "20.00"
    assert "'bank 1' is in the books already; nothing was changed." in second.err
    other = office("payment", "add", "acme", "21", "--reference", "bank 1")
    assert other.code == 5
    assert "give this one a reference of its own" in other.err


def test_F074_a_refund_beyond_what_was_paid_is_refused_by_policy(office: Office) -> None:
    office.done(*PAY)
    refused = office("refund", "add", "acme", "20.01", "--reference", "out 1", "--reason", "asked")
    assert refused.code == 4
    assert "refund less" in refused.err
    done = office.done("refund", "add", "acme", "20", "--reference", "out 1", "--reason", "asked")
    assert "balance    0.00" in done.out


def test_a_top_up_lets_a_prepaid_account_call(office: Office) -> None:
    account = ("--currency", "USD", "--plan", "standard", "--kind", "prepaid")
    office.done("account", "add", "pat", "--name", "Pat", *account)
    office.done("top-up", "add", "pat", "1.00", "--reference", "card 1", "--reason", "by telephone")
    assert office.done("account", "show", "pat", "--output", "json").data["available"] == "1.00"


def test_W47_F059_a_payment_in_euros_is_converted_and_told_with_rate_and_date(office: Office) -> None:
    opened_long_ago(office)
    missing = office(
        "payment", "add", "acme", "3.27", "--currency", "EUR", "--reference", "w", "--at", "2026-03-02"
    )
    assert missing.code == 3
    assert "dialback exchange set USD EUR RATE --on 2026-03-02" in missing.err
    rate = (
        "exchange",
        "set",
        "EUR",
        "USD",
        "1.10",
        "--on",
        "2026-03-01",
        "--source",
        "ECB",
        "--reason",
        "daily",
    )
    office.done(*rate)
    assert "holds already" in office.done(*rate).err
    words = ("3.27", "--currency", "EUR", "--reference", "w", "--at", "2026-03-02", "--output", "json")
    made = office.done("payment", "add", "acme", *words).data
    assert made["amount"] == "3.60"
    assert made["reason"] == "w: 3.27 EUR at 1 EUR = 1.10 USD of 2026-03-01"
    (listed,) = office.done("exchange", "list", "--output", "json").data
    assert (listed["rate"], listed["on"], listed["source"]) == ("1.10", "2026-03-01", "ECB")
    invoice = office.done("invoice", "show", "acme", "--month", "2026-03", "--output", "json").out
    assert "3.27 EUR at 1 EUR = 1.10 USD of 2026-03-01" in invoice


@pytest.mark.parametrize("text", ["0", "-1", "1e3", "1,50", "NaN"])
def test_an_amount_that_cannot_be_meant_is_refused(office: Office, text: str) -> None:
    refused = office("payment", "add", "acme", "--reference", "x", "--", text)
    assert refused.code == 2
    assert "amount" in refused.err
    assert show(office) == []


@pytest.mark.parametrize(("text", "currency"), [("1.005", "EUR"), ("1.5", "JPY"), ("1.0005", "KWD")])
def test_nobody_pays_a_part_of_the_smallest_coin(office: Office, text: str, currency: str) -> None:
    for noun in ("payment", "top-up"):
        refused = office(
            noun, "add", "acme", text, "--currency", currency, "--reference", "x", "--reason", "y"
        )
        assert refused.code == 2
        assert f"decimals, as money in {currency} has" in refused.err
    assert office("refund", "add", "acme", "0.001", "--reference", "x", "--reason", "y").code == 2
    assert show(office) == []


def test_a_correction_is_a_further_entry_and_may_take(office: Office) -> None:
    words = ("--reference", "case 7", "--reason", "credited twice", "--output", "json")
    assert office.done("ledger", "adjust", "acme", "-1.50", *words).data["balance"] == "-1.50"
    assert office("ledger", "adjust", "acme", "1", "--reference", "case 8").code == 2


def test_a_payment_that_bounced_and_a_debt_given_up_are_entries_of_their_own(office: Office) -> None:
    office.done(*PAY)
    office.done("payment", "reverse", "acme", "bank 1", "--reference", "bounce 1", "--reason", "it bounced")
    office.done("ledger", "adjust", "acme", "-3", "--reference", "fee", "--reason", "late")
    office.done("write-off", "add", "acme", "3", "--reference", "wo 1", "--reason", "insolvent")
    assert [row["kind"] for row in show(office, "acme")] == ["payment", "reversal", "adjustment", "write_off"]
    listed = office.done("payment", "list", "--account", "acme", "--output", "json").data
    assert [(row["what"], row["amount"]) for row in listed] == [
        ("payment", "20.00"),
        ("payment.reverse", "-20.00"),
    ]
    assert office.done("ledger", "verify").out.startswith("4 entries")


def test_the_ledger_shows_every_column_with_its_own_running_balance(office: Office) -> None:
    opened_long_ago(office)
    first = callback("cb1", currency="USD")
    office.store(play, first, story(first, 90))
    office.done("payment", "add", "acme", "1", "--reference", "bank 1", "--at", "2026-03-03")
    rows = show(office)
    assert {row["ledger_account"] for row in rows} == {
        "receivable:acme",
        "revenue",
        "cash",
        "carrier_payable:carrier-x",
        "carrier_cost",
    }
    called, paid = show(office, "acme")
    assert called["amount"] == called["balance"]
    assert Decimal(paid["balance"]) == Decimal(called["amount"]) + 1
    assert show(office, "acme", "--from", "2026-03-03") == [paid]
    assert [row["kind"] for row in show(office, "acme", "--kind", "payment")] == ["payment"]
    assert [row["reference"] for row in show(office, "--reference", "cb1", "--in", "revenue")] == ["cb1"]
    assert show(office, "--currency", "EUR") == []
    table = list(csv.DictReader(io.StringIO(office.done("ledger", "show", "--output", "csv").out)))
    assert [row["entry"] for row in table] == [row["entry"] for row in rows]
    assert office("ledger", "show", "nobody").code == 3
    assert office("ledger", "show", "acme", "--in", "cash").code == 2
    balances = office.done("ledger", "balances", "--output", "json").data
    assert {row["ledger_account"]: row["balance"] for row in balances}["cash"] == "-1.00"


def test_the_kinds_that_may_be_asked_for_are_those_of_the_books() -> None:
    assert set(KINDS) == {kind.value for kind in EntryKind}


def test_the_audit_log_says_who_when_what_and_why_with_before_and_after(office: Office) -> None:
    office.done(*PAY, "--reason", "statement of March")
    (noted,) = office.done("audit", "list", "--action", "payment", "--output", "json").data
    assert noted["subject"] == "acme"
    assert noted["reason"] == "statement of March"
    assert noted["before"] == "balance=0.0000 USD"
    assert noted["after"].startswith("amount=20.0000 USD; balance=20.0000 USD; ")
    shown = office.done("audit", "show", str(noted["id"]), "--output", "json").data
    assert shown == noted
    assert office.done("audit", "list", "--by", "nobody", "--output", "json").data == []
    assert office.done("audit", "list", "--subject", "acme", "--last", "1", "--output", "json").data == [
        noted
    ]
    assert office("audit", "show", "99999").code == 3


def talked(office: Office) -> None:
    """A call of anna's that ended, 90 s long; the A-leg is free."""
    first = callback("cb1", currency="USD")
    office.store(play, first, story(first, 90))


def test_F074_F149_a_disputed_line_is_seen_with_its_timeline_and_credited(office: Office) -> None:
    settings = office.folder / "switch.toml"
    settings.write_text(settings.read_text() + '\n[invoices]\ncredit_note_number = "GS {n:04}"\n')
    talked(office)
    opened = office.done("dispute", "open", "cb1-b1", "--reason", "I heard nobody", "--output", "json").data
    assert (opened["state"], opened["credited"]) == ("open", "0.00")
    charged = Decimal(opened["charged"])
    assert "talk_seconds" not in opened
    for seconds in (
        opened["charged_seconds"],
        office.done("explain", "cb1-b1", "--output", "json").data["charged_seconds"],
        office.done("cdr", "list", "--output", "json").data[-1]["charged_seconds"],
        office.done("account", "show", "acme", "--output", "json").data["last_calls"][-1]["charged_seconds"],
    ):
        assert seconds == 90
    assert [row["event"] for row in opened["timeline"]][-2:] == ["LegHungUp", "LegHungUp"]
    shown = office.done("dispute", "show", opened["id"])
    assert "leg b1 is gone" in shown.out
    assert "leg_id" not in shown.out
    decide = ("--reference", "case 7", "--reason", "the carrier confirms it", "--output", "json")
    note = office.done("dispute", "accept", opened["id"], "--amount", "0.10", *decide).data
    assert (note["number"], note["amount"], note["reason"]) == (
        "GS 0001",
        "-0.10",
        "the carrier confirms it",
    )
    again = office.done("dispute", "accept", opened["id"], "--amount", "0.10", *decide)
    assert "GS 0001 was issued before; nothing was changed." in again.err
    assert Decimal(office.done("cdr", "--output", "json").data[-1]["amount"]) == charged
    balance = office.done("account", "show", "acme", "--output", "json").data["balance"]
    assert Decimal(balance) == Decimal("0.10") - charged
    over = office(
        "credit-note", "add", "cb1-b1", "--amount", str(charged), "--reference", "x", "--reason", "more"
    )
    assert over.code == 4
    listed = office.done("dispute", "list", "--state", "accepted", "--output", "json").data
    assert [(row["leg"], row["credit_note"]) for row in listed] == [("cb1-b1", "GS 0001")]
    assert office.done("credit-note", "list", "--account", "acme", "--output", "json").data == [note]
    assert office.done("credit-note", "show", "GS 0001", "--output", "json").data == note
    assert office.done("ledger", "verify").out.startswith("2 entries")


def test_every_view_of_a_call_tells_the_charge_what_was_given_back_and_what_is_left(office: Office) -> None:
    talked(office)

    def told(*words: str) -> list[tuple[str, ...]]:
        data = office.done(*words, "--output", "json").data
        rows = data if isinstance(data, list) else [data]
        return [tuple(row[name] for name in ("amount", "credited", "net")) for row in rows]

    of_callback, of_leg = ("callback", "show", "cb1"), ("explain", "cb1-b1")
    assert told(*of_callback) == told(*of_leg) == told("cdr")[1:] == [("0.15", "0.00", "0.15")]
    why = ("--reference", "case 1", "--reason", "no sound")
    office.done("credit-note", "add", "cb1-b1", "--amount", "0.10", *why)
    assert told(*of_callback) == told(*of_leg) == told("cdr")[1:] == [("0.15", "0.10", "0.05")]
    assert told("cdr")[0] == ("0.00", "0.00", "0.00")
    office.done("invoice", "run", "--month", "2026-03", "--yes")
    office.done("credit-note", "add", "cb1", "--amount", "0.02", "--reference", "case 2", "--reason", "sorry")
    assert told(*of_callback) == [("0.15", "0.12", "0.03")]
    assert told(*of_leg) == told("cdr")[1:] == [("0.15", "0.10", "0.05")]
    account = office.done("account", "show", "acme", "--output", "json").data
    assert [row["credited"] for row in account["last_calls"]] == ["0.00", "0.10"]
    listed = office.done("cdr")
    assert "Given back of callback cb1 as a whole: 0.02 USD by CN-" in listed.err
    assert "net         0.03\n" in office.done(*of_callback).out


def test_a_dispute_is_rejected_with_a_reason(office: Office) -> None:
    talked(office)
    opened = office.done("dispute", "open", "cb1-b1", "--reason", "too dear", "--output", "json").data
    office.done("dispute", "reject", opened["id"], "--reason", "both sides talked for 90 s")
    assert "rejected before" in office.done("dispute", "reject", opened["id"], "--reason", "again").err
    assert office("dispute", "accept", opened["id"], "--reference", "x", "--reason", "y").code == 5


def make_vouchers(office: Office, path: str = "v.csv") -> list[dict[str, str]]:
    words = ("--count", "2", "--amount", "10", "--currency", "USD", "--expires", "2099-01-01")
    where = ("--file", str(office.folder / path), "--reason", "order 12")
    office.done("voucher", "make", "summer", *words, *where)
    return list(csv.DictReader(io.StringIO((office.folder / path).read_text())))


def test_F145_a_batch_of_vouchers_is_made_exported_once_and_redeemed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_vouchers(office)
    assert [row["serial"] for row in made] == ["summer-00001", "summer-00002"]
    assert (office.folder / "v.csv").stat().st_mode & 0o777 == 0o600
    words = ("--count", "2", "--amount", "10", "--currency", "USD", "--expires", "2099-01-01")
    again = office.done(
        "voucher", "make", "summer", *words, "--file", str(office.folder / "w.csv"), "--reason", "x"
    )
    assert "exported then; nothing was changed" in again.err
    assert not (office.folder / "w.csv").exists()

    def redeem(account: str, secret: str) -> Outcome:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{secret}\n"))
        return office("voucher", "redeem", account)

    assert "10.00" in redeem("acme", made[0]["secret"]).out
    assert "nothing was changed" in redeem("acme", made[0]["secret"]).err
    used = redeem("other", made[0]["secret"])
    assert (used.code, "redeemed before" in used.err) == (4, True)
    assert redeem("acme", "1234 5678 9012 3456").code == 4
    office.done("voucher", "void", "summer-00002", "--reason", "lost")
    assert redeem("acme", made[1]["secret"]).code == 4
    listed = office.done("voucher", "list", "--output", "json").data
    assert [row["state"] for row in listed] == ["redeemed", "void"]
    assert made[0]["secret"] not in office.done("voucher", "list").out
    assert office.done("account", "show", "acme", "--output", "json").data["balance"] == "10.00"
    office.done("ledger", "verify")


def test_a_file_that_is_there_is_not_written_over_by_vouchers(office: Office) -> None:
    (office.folder / "v.csv").write_text("mine")
    words = (
        "--count",
        "1",
        "--amount",
        "10",
        "--currency",
        "USD",
        "--expires",
        "2099-01-01",
        "--reason",
        "x",
    )
    refused = office("voucher", "make", "summer", *words, "--file", str(office.folder / "v.csv"))
    assert refused.code == exits.CONFLICT
    assert "v.csv exists already; name another file" in refused.err
    assert (office.folder / "v.csv").read_text() == "mine"
    assert office.done("voucher", "list", "--output", "json").data == []


def test_W48_F058_alerts_are_set_and_listed(office: Office) -> None:
    set_ = office.done(
        "alert", "set", "acme", "--percent", "90", "--low-balance", "2.50", "--output", "json"
    ).data
    assert [(row["kind"], row["at"]) for row in set_] == [("credit_used", "90 %"), ("low_balance", "2.50")]
    adjust = ("ledger", "adjust", "acme")
    office.done(*adjust, "-44.99", "--reference", "1", "--reason", "x")
    assert office.done("alert", "list", "--output", "json").data == []
    office.done(*adjust, "-0.01", "--reference", "2", "--reason", "x")
    (told,) = office.done("alert", "list", "--account", "acme", "--output", "json").data
    assert (told["rule"], told["balance"], told["credit_limit"]) == ("90 %", "-45.00", "50.00")
    assert office.done("alert", "rules", "acme", "--output", "json").data == set_
    office.done("alert", "set", "acme")
    assert office.done("alert", "rules", "acme", "--output", "json").data == []


def test_W26_F147_an_unpaid_invoice_is_dunned_on_its_days_and_a_payment_ends_it(office: Office) -> None:
    opened_long_ago(office)
    talked(office)
    office.done("invoice", "run", "--month", "2026-03", "--yes")
    (open_,) = office.done("dunning", "open", "--output", "json").data
    assert open_["account"] == "acme"
    due = date.fromisoformat(open_["due_on"])
    assert office.done("dunning", "run", "--output", "json").data == []
    day = ("--on", (due + timedelta(days=41)).isoformat(), "--output", "json")
    (planned,) = office.done("dunning", "run", "--dry-run", *day).data
    assert (planned["stage"], planned["told"]) == ("first_resend", "not sent: no e-mail")
    assert office.done("dunning", "list", "--output", "json").data == []
    assert "is a day to come: add --dry-run" in office("dunning", "run", *day).err
    for days in (0, 7, 20, 34, 41):
        at = datetime.combine(due + timedelta(days=days), time(12), UTC)
        office.store(dunning.run, "acme", Author(at=at, name="tests", reason="dunning"))
    assert office.done("account", "show", "acme", "--output", "json").data["state"] == "suspended"
    office.done("payment", "add", "acme", open_["open"], "--reference", "bank 1")
    account = office.done("account", "show", "acme", "--output", "json").data
    assert (account["state"], account["credit_limit"], account["balance"]) == ("open", "50.00", "0.00")
    assert office.done("dunning", "open", "--output", "json").data == []
    stages = {row["stage"] for row in office.done("dunning", "list", "--output", "json").data}
    assert {"suspend", "lifted"} <= stages
    office.done("ledger", "verify")


def test_a_late_fee_is_printed_once_for_its_day(office: Office) -> None:
    fee = ("dunning", "fee", "standard", "2.00", "--from", "2026-05-01", "--reason", "list of May")
    office.done(*fee)
    assert "nothing was changed" in office.done(*fee).err
    assert office("dunning", "fee", "standard", "3.00", *fee[4:]).code == 5


def test_where_nobody_watches_no_bar_is_drawn_of_the_vouchers(office: Office) -> None:
    words = ("--count", "2", "--amount", "5", "--currency", "USD", "--expires", "2099-01-01")
    made = office.done(
        "voucher", "make", "dry", *words, "--file", str(office.folder / "d.csv"), "--reason", "x"
    )
    assert "Making vouchers" not in made.err


def test_the_help_of_an_adjustment_says_that_its_reason_is_printed_for_the_customer(office: Office) -> None:
    told = " ".join(office.done("ledger", "adjust", "--help").out.split())
    assert "printed on the account's invoice" in told


def test_vouchers_of_an_unknown_batch_are_an_error_not_an_empty_list(office: Office) -> None:
    make_vouchers(office)
    assert len(office.done("voucher", "list", "--batch", "summer", "--output", "json").data) > 1
    refused = office("voucher", "list", "--batch", "sumer")
    assert refused.code == exits.NOT_FOUND
    assert "batch: there is no batch 'sumer'" in refused.err


def test_a_percentage_of_the_credit_limit_beyond_all_of_it_is_refused(office: Office) -> None:
    office.done("alert", "set", "acme", "--percent", "100")
    refused = office("alert", "set", "acme", "--percent", "101")
    assert refused.code == exits.USAGE
    assert "percent" in refused.err
    assert [row["at"] for row in office.done("alert", "rules", "acme", "--output", "json").data] == ["100 %"]


def test_a_tax_of_a_place_that_is_no_country_is_refused(office: Office) -> None:
    refused = office("tax", "set", "XX", "standard", "19", "--from", "2026-01-01")
    assert refused.code == exits.USAGE
    assert "place: 'XX' is no country or region; write two capitals, such as DE, or US-NY" in refused.err
    assert office.done("tax", "list", "--output", "json").data == []
    office.done("tax", "set", "us-ny", "standard", "8.875", "--from", "2026-01-01")


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("credit_limit", ("account", "change", "acme", "--credit-limit", "-5")),
        (
            "monthly",
            ("option", "add", "acme", "line", "--monthly", "-5", "--name", "A line", "--reason", "x"),
        ),
        ("low_balance", ("alert", "set", "acme", "--low-balance", "-5")),
        ("amount", ("dunning", "fee", "standard", "--from", "2026-05-01", "--reason", "x", "--", "-5")),
        ("amount", ("payment", "add", "acme", "--reference", "x", "--", "-5")),
    ],
)
def test_an_amount_below_zero_is_refused_as_an_amount_and_by_its_name(
    office: Office, field: str, words: tuple[str, ...]
) -> None:
    refused = office(*words)
    assert refused.code == exits.USAGE
    assert refused.err.startswith(f"Error: {field}: -5")
    assert "50000" not in refused.err.split("; ")[0]
