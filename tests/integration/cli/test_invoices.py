"""A month closed by commands: dry run, run, list, print, post, and the same bytes after a restore."""

import csv
import io
import json
import re
import shutil
from decimal import Decimal
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
import tomlkit
from lxml import etree
from office import ON_BOTH, Office
from pypdf import PdfReader
from storeworld import callback, play, story

from staff import exits

SELLER = {
    "name": "Dialback Ltd",
    "country": "DE",
    "tax_id": "DE123456789",
    "email": "bills@dialback.example",
    "bank": ["IBAN DE89 3704 0044 0532 0130 00"],
}
TAX = ("tax", "set", "GB", "standard", "20", "--from", "2026-01-01", "--reason", "British VAT")
RUN = ("invoice", "run", "--month", "2026-03", "--yes", "--output", "json")


@pytest.fixture
def billed(office: Office) -> Office:
    """A firm in Britain that talked for 90 s in March; another one was opened after it."""
    config = office.folder / "switch.toml"
    written = tomlkit.parse(config.read_text())
    written["seller"] = SELLER
    config.write_text(tomlkit.dumps(written))
    for account in ("acme", "other"):
        words = ("--tax-place", "GB", "--email", f"ap@{account}.example", "--reason", "their letter")
        office.done("account", "change", account, *words)
    office.done(*TAX)
    first = callback("cb1", currency="USD")
    office.store(play, first, story(first, 90))
    return office


def closed(office: Office) -> list[str]:
    return [row["number"] for row in office.done(*RUN).data]


@ON_BOTH
def test_F150_a_dry_run_says_what_the_run_does_and_writes_nothing(billed: Office) -> None:
    dry = billed.done(*RUN, "--dry-run")
    assert [(row["account"], row["total"], row["state"]) for row in dry.data] == [
        ("acme", "0.18", "would be issued"),
    ]
    assert "1 would be issued (USD 0.18); 0 issued before; 1 with nothing to say." in dry.err
    assert billed.done("invoice", "list", "--output", "json").data == []
    told = billed.done(*RUN)
    assert [(row["account"], row["total"], row["state"]) for row in told.data] == [
        ("acme", "0.18", "issued"),
    ]
    again = billed.done(*RUN)
    assert (again.data, "0 issued; 1 issued before; 1 with nothing to say." in again.err) == ([], True)
    billed.done("ledger", "verify")


def test_a_run_issues_nothing_where_nobody_can_be_asked_and_yes_is_not_said(billed: Office) -> None:
    refused = billed("invoice", "run", "--month", "2026-03")
    assert refused.code == exits.USAGE
    assert "give --yes" in refused.err
    assert billed.done("invoice", "list", "--output", "json").data == []


@ON_BOTH
def test_F144_all_forms_and_the_ledger_have_the_same_totals(billed: Office, tmp_path: Path) -> None:
    (number,) = closed(billed)
    billed.done("invoice", "print", number, "--folder", str(tmp_path / "out"))
    out = {file.suffix[1:]: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    assert sorted(out) == ["csv", "html", "json", "pdf", "txt", "xml"]
    total = json.loads(out["json"])["totals"]["total"]
    assert total == "0.18"  # 90 s at 0.10, and 20 % of it
    assert f"USD {total}" in out["txt"].decode()
    rows = list(csv.DictReader(io.StringIO(out["csv"].decode())))
    assert rows[-1]["amount"] == total
    assert sum(Decimal(row["amount"]) for row in rows[:-1]) == Decimal(total)
    assert etree.fromstring(out["xml"]).findtext(".//{*}GrandTotalAmount") == total
    assert re.search(f'<td class="n"[^>]*>{re.escape(total)}</td>', out["html"].decode())
    page = PdfReader(io.BytesIO(out["pdf"])).pages[0].extract_text().replace("\n", " ")
    assert f"Total of this invoice {total}" in page
    shown = billed.done("ledger", "show", "acme", "--output", "json").data
    assert shown[-1]["balance"] == f"-{total}"


@ON_BOTH
def test_F072_what_is_shown_after_the_run_is_the_paper_that_was_issued(billed: Office) -> None:
    wanted = ("invoice", "show", "acme", "--month", "2026-03")
    draft = billed.done(*wanted, "--output", "json").data
    (number,) = closed(billed)
    before = billed.done(*wanted, "--output", "json").out
    final = json.loads(before)
    assert final["number"] == number
    same = {name for name in draft if name not in {"number", "draft"}}
    assert {name: draft[name] for name in same} == {name: final[name] for name in same}
    billed.done("account", "change", "acme", "--name", "Acme Holding", "--reason", "renamed")
    assert billed.done(*wanted, "--output", "json").out == before
    assert billed.done("invoice", "print", number, "--output", "json").out == before


@pytest.mark.parametrize("papers", ["--papers", "--no-papers"])
def test_F069_all_invoices_of_a_month_that_is_closed_are_those_that_were_issued(
    billed: Office, papers: str
) -> None:
    wanted = ("invoice", "--month", "2026-03")
    draft, other = billed.done(*wanted, "--output", "json").data
    (number,) = [row["number"] for row in billed.done(*RUN, papers).data]
    issued, same = billed.done(*wanted, "--output", "json").data
    assert (issued["number"], issued["payments"], same) == (number, [], other)
    assert issued["totals"] == draft["totals"]  # its own tax is no payment of it
    assert f"INVOICE {number}" in billed.done(*wanted).out
    rows = list(csv.DictReader(io.StringIO(billed.done(*wanted, "--output", "csv").out)))
    (total,) = [row["amount"] for row in rows if (row["account"], row["kind"]) == ("acme", "total")]
    assert total == issued["totals"]["total"]


def test_F069_an_account_without_a_rate_of_tax_is_named_and_spares_the_drafts_of_the_others(
    billed: Office,
) -> None:
    billed.done("account", "change", "other", "--tax-place", "FR", "--reason", "it moved")
    told = billed("invoice", "--month", "2026-03", "--output", "json")
    assert told.code == exits.TEMPORARY
    assert [each["account"] for each in told.data] == ["acme"]
    assert "Held: other: tax: there is no rate for place 'FR' on 2026-03-31" in told.err


def test_F078_issued_papers_are_the_same_bytes_after_a_restore(billed: Office, tmp_path: Path) -> None:
    (number,) = closed(billed)
    billed.done("invoice", "print", number, "--folder", str(tmp_path / "before"))
    billed.done("db", "backup", str(tmp_path / "month.backup"))
    folder = tmp_path / "new"
    folder.mkdir()
    shutil.copyfile(billed.folder / "switch.toml", folder / "switch.toml")
    again = Office(folder=folder, capsys=billed.capsys)
    again.done("db", "restore", str(tmp_path / "month.backup"))
    again.done("invoice", "print", number, "--folder", str(tmp_path / "after"))
    for file in (tmp_path / "before").iterdir():
        assert (tmp_path / "after" / file.name).read_bytes() == file.read_bytes()
    again.done("ledger", "verify")


def test_a_month_that_is_not_over_is_held_with_a_code_that_says_try_later(billed: Office) -> None:
    told = billed("invoice", "run", "--month", "2099-03", "--account", "acme", "--yes")
    assert told.code == exits.TEMPORARY
    assert "Held: acme: the month is not over in Europe/London" in told.err


def test_an_account_that_cannot_be_closed_by_a_fault_is_named_and_spares_the_others(billed: Office) -> None:
    add = (
        "option",
        "add",
        "other",
        "--monthly",
        "99999999999999",
        "--from",
        "2026-03-01",
        "--reason",
        "a slip",
    )
    for name in ("one", "two"):  # together they are more than a posting holds
        billed.done(*add[:3], name, "--name", name, *add[3:])
    told = billed("invoice", "run", "--month", "2026-03", "--yes", "--output", "json")
    assert told.code == exits.ERROR
    assert [row["account"] for row in told.data] == ["acme"]
    assert "Not closed, by a fault: other: ValueError: posting to receivable:other" in told.err
    assert "1 issued (USD " in told.err
    assert "1 not closed by a fault" in told.err
    billed.done("ledger", "verify")
    billed.done("option", "end", "two", "--on", "2026-03-01", "--reason", "a slip")
    (row,) = billed.done("invoice", "run", "--month", "2026-03", "--yes", "--output", "json").data
    assert (row["number"], row["account"]) == ("INV-2026-00002", "other")
    billed.done("ledger", "verify")


def test_invoices_go_into_the_queue_once_and_out_into_a_folder(billed: Office, tmp_path: Path) -> None:
    (number,) = closed(billed)
    send = ("invoice", "send", "--month", "2026-03", "--reason", "month end")
    queued = billed.done(*send)
    assert queued.out == "1 queued, 0 known already, 0 without address\n"
    assert "until `dialback mail run` sends them" in queued.err
    assert billed.done(*send).out == "0 queued, 1 known already, 0 without address\n"
    assert "1 sent" in billed.done("mail", "run", "--folder", str(tmp_path / "out")).out
    assert len(list((tmp_path / "out").glob("*.eml"))) == 1
    (mail,) = billed.done("mail", "list", "--invoice", number, "--output", "json").data
    assert (mail["state"], mail["recipient"]) == ("sent", "ap@acme.example")
    nowhere = billed("mail", "run")
    assert nowhere.code == exits.CONFIGURATION
    assert "[mail] host" in nowhere.err


@pytest.mark.parametrize(
    ("paid", "told"),
    [
        ("", "Please pay 0.18 USD by "),
        ("0.10", "Of the 0.18 USD that it asks for, 0.08 USD are still open. Please pay them by "),
        ("0.18", "The 0.18 USD that it asks for are paid. Nothing is to be paid any more."),
    ],
)
def test_a_mail_asks_for_what_is_still_open_when_it_leaves(
    billed: Office, tmp_path: Path, paid: str, told: str
) -> None:
    (number,) = closed(billed)
    billed.done("invoice", "send", number)
    if paid:
        billed.done("payment", "add", "acme", paid, "--reference", "bank 1")
    billed.done("mail", "run", "--folder", str(tmp_path / "out"))
    (letter,) = (tmp_path / "out").glob("*.eml")
    body = message_from_bytes(letter.read_bytes(), policy=SMTP).get_body(("plain",))
    assert body is not None
    assert told in body.get_content()


def test_a_tax_is_set_listed_and_refused_where_it_cannot_be_meant(billed: Office) -> None:
    (row,) = billed.done("tax", "list", "--output", "json").data
    assert (row["place"], row["group"], row["percent"], row["category"]) == ("GB", "standard", "20", "S")
    for percent in ("-1", "101", "1e2", "NaN"):
        assert billed("tax", "set", "GB", "calls", "--from", "2026-01-01", "--", percent).code == exits.USAGE
    for group in ("Calls", "calls ", "second\nnumber", ""):  # no line would ever bear it
        assert billed("tax", "set", "GB", group, "5", "--from", "2026-01-01").code == exits.USAGE
    closed(billed)
    late = billed("tax", "set", "GB", "standard", "21", "--from", "2026-02-01")
    assert late.code == exits.CONFLICT


def test_an_unknown_invoice_is_not_found(billed: Office) -> None:
    assert billed("invoice", "print", "INV-9").code == exits.NOT_FOUND
    assert billed("invoice", "send", "INV-9").code == exits.USAGE
    assert billed("invoice", "send").code == exits.USAGE


def test_F144_where_there_is_no_xml_it_is_said_what_is_missing_and_where_it_is_set(
    office: Office, tmp_path: Path
) -> None:
    first = callback("cb1", currency="USD")
    office.store(play, first, story(first, 90))
    (number,) = closed(office)
    told = office.done("invoice", "print", number, "--folder", str(tmp_path / "out"))
    assert not list((tmp_path / "out").glob("*.xml"))
    assert "the seller has no country" in told.err
    assert "[seller]" in told.err
    alone = office("invoice", "print", number, "--output", "xml")
    assert alone.code == exits.NOT_FOUND
    assert "the seller has no country" in alone.err


def test_an_account_billed_on_demand_is_left_out_of_the_run_unless_it_is_named(billed: Office) -> None:
    billed.done("account", "change", "acme", "--bill-cycle", "on-demand", "--reason", "their letter")
    assert closed(billed) == []
    (row,) = billed.done(*RUN, "--account", "acme").data
    assert (row["account"], row["total"]) == ("acme", "0.18")


def test_F074_F078_a_credit_note_is_printed_in_every_form_and_again_the_same_bytes(
    billed: Office, tmp_path: Path
) -> None:
    first = callback("cb2", currency="USD")
    billed.store(play, first, story(first, 1500))
    (number,) = closed(billed)
    give = (
        "credit-note",
        "add",
        "cb2-b1",
        "--amount",
        "2.00",
        "--reference",
        "case 7",
        "--reason",
        "one-way",
    )
    note = billed.done(*give, "--output", "json").data
    assert (note["number"], note["amount"], note["tax"], note["total"], note["corrects"]) == (
        *("CN-2026-00001", "-2.00", "-0.40", "-2.40"),
        number,
    )
    billed.done("credit-note", "print", "CN-2026-00001", "--folder", str(tmp_path / "one"))
    billed.done("credit-note", "print", "CN-2026-00001", "--folder", str(tmp_path / "two"))
    out = {file.suffix[1:]: file.read_bytes() for file in (tmp_path / "one").iterdir()}
    assert sorted(out) == ["csv", "html", "json", "pdf", "txt", "xml"]
    for file in (tmp_path / "two").iterdir():
        assert file.read_bytes() == out[file.suffix[1:]]
    assert json.loads(out["json"])["totals"]["total"] == "2.40"
    assert etree.fromstring(out["xml"]).findtext(".//{*}GrandTotalAmount") == "2.40"
    page = PdfReader(io.BytesIO(out["pdf"])).pages[0].extract_text().replace("\n", " ")
    assert "Total of this credit note 2.40" in page
    assert number in page
    shown = billed.done("credit-note", "print", "CN-2026-00001").out
    day = billed.done("invoice", "print", number, "--output", "json").data["issued_on"]
    assert f"Corrects    invoice {number} of {day}\nReason      one-way\n" in shown
    assert "Due " not in shown
    assert "with the number of this note" in shown
    listed = billed.done("invoice", "list", "--output", "json").data
    (row,) = [row for row in listed if row["kind"] == "credit_note"]
    assert (row["number"], row["total"], row["due"]) == ("CN-2026-00001", "-2.40", "0.00")
    assert billed("credit-note", "print", "CN-9").code == exits.NOT_FOUND
    billed.done("ledger", "verify")


def test_an_account_that_is_nobodys_is_not_passed_over_in_silence(billed: Office) -> None:
    for words in (
        ("invoice", "run", "--month", "2026-03", "--account", "nobody", "--yes"),
        ("invoice", "run", "--month", "2026-03", "--account", "acme", "--account", "nobody", "--dry-run"),
        ("report", "ageing", "--account", "nobody"),
        ("report", "unbilled", "--account", "nobody"),
    ):
        told = billed(*words)
        assert told.code == exits.NOT_FOUND, words
        assert "there is no account 'nobody'" in told.err
    assert billed.done("invoice", "list", "--output", "json").data == []
