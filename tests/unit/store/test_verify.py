"""`ledger verify`: books that agree are silent; each way to corrupt them is named."""

from collections.abc import Iterator
from typing import Any

import pytest
from filled_books import fill_books
from tampering import found_after

from store.database import Database
from store.verify import count_entries, verify

B_LEG = "cb1-b1"
CHARGE = "charge-cb1"
TRIED = "attempts-cb2"
PAID = "payment-acme-bank 1"
WIRED = "payment-acme-wire 1"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def books(
    request: pytest.FixtureRequest, templates: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One company for all tests here: whatever they do to it is undone."""
    database = Database(templates.new(request.param, "company", tmp_path_factory.mktemp("verify")))
    database.call("fill books", fill_books)
    yield database
    database.close()


def faults(books: Database, *statements: str) -> str:
    return "\n".join(found_after(books, statements, verify))


def test_books_that_agree_are_silent(books: Database) -> None:
    assert faults(books) == ""
    assert books.read("count", count_entries) == 11


CORRUPTIONS = [
    # entries and postings
    (
        f"UPDATE postings SET units = units + 1 WHERE entry_id = '{PAID}' AND position = 0",
        f"entry {PAID}: its EUR postings sum to 1, not to 0",
    ),
    (f"DELETE FROM postings WHERE entry_id = '{PAID}'", f"entry {PAID} has no postings"),
    (
        f"DELETE FROM postings WHERE entry_id = '{PAID}' AND position = 0",
        f"entry {PAID} has 1 postings and the last one is number 2: one is missing",
    ),
    (f"DELETE FROM entries WHERE id = '{PAID}'", f"posting 0 of entry {PAID}: there is no such entry"),
    (
        "INSERT INTO entries SELECT 'forged', 'rounding', at, '', '' FROM entries LIMIT 1",
        "entry forged has no postings",
    ),
    # balances
    (
        "UPDATE ledger_accounts SET balance_units = balance_units + 5 WHERE id = 'receivable:acme'",
        "receivable:acme in EUR: the balance kept is ",
    ),
    ("DELETE FROM ledger_accounts WHERE id = 'cash' AND currency = 'USD'", "cash in USD: no balance is kept"),
    (
        f"UPDATE postings SET ledger_account_id = 'receivable:x' WHERE entry_id = '{PAID}' AND units > 0",
        f"entry {PAID} is about receivable:x in EUR, and no such account keeps its books so",
    ),
    # calls, records, charges
    ("DELETE FROM settlements", "callback cb1 has ended and its books are not closed"),
    ("UPDATE callbacks SET state = 'talking'", "callback cb1 has a settlement and has not ended"),
    (
        "UPDATE settlements SET currency = 'USD'",
        "callback cb1 is settled for account acme in USD, and was made for another",
    ),
    (f"DELETE FROM charges WHERE leg_id = '{B_LEG}'", f"leg {B_LEG} was answered and has no charge"),
    (
        f"UPDATE cdrs SET answered_at = NULL WHERE leg_id = '{B_LEG}'",
        f"leg {B_LEG} was not answered and has a charge",
    ),
    (f"DELETE FROM cdrs WHERE leg_id = '{B_LEG}'", f"leg {B_LEG} has a charge and no record"),
    (
        "UPDATE cdrs SET account_id = 'other'",
        f"leg {B_LEG}: its record says account other, its callback another",
    ),
    (
        f"UPDATE cdrs SET hung_up_at = hung_up_at + 1000001 WHERE leg_id = '{B_LEG}'",
        f"leg {B_LEG} talked 33 s by its record and 31 s by its charge",
    ),
    (
        f"UPDATE charges SET amount_units = amount_units + 7 WHERE leg_id = '{B_LEG}'",
        "callback cb1: its legs' charges sum to ",
    ),
    ("UPDATE settlements SET gross_units = gross_units + 7", "callback cb1: its legs' charges sum to "),
    ("UPDATE settlements SET waived_units = 7", "less 7"),
    (f"DELETE FROM entries WHERE id = '{CHARGE}'", "and no entry was made"),
    (
        "UPDATE settlements SET entry_id = NULL",
        f"entry {CHARGE} charges callback cb1, whose settlement names another",
    ),
    (
        f"UPDATE entries SET at = at + 1 WHERE id = '{CHARGE}'",
        f"callback cb1 ended at another instant than its entry {CHARGE} says",
    ),
    (
        f"UPDATE charges SET entry_id = '{PAID}' WHERE leg_id = '{B_LEG}'",
        f"leg {B_LEG}: its charge names entry {PAID}, the settlement of its callback another",
    ),
    (
        f"UPDATE charges SET cost_units = cost_units + 7 WHERE leg_id = '{B_LEG}'",
        f"entry {CHARGE}: its legs cost ",
    ),
    # attempts that nobody answered
    (
        "UPDATE cdrs SET answered_at = hung_up_at WHERE callback_id = 'cb2'",
        "leg cb2-a1 was answered, and is booked as an attempt in vain",
    ),
    (
        "UPDATE attempt_costs SET cost_units = cost_units + 7",
        f"entry {TRIED}: its attempts cost 107 EUR, its carriers were credited 100",
    ),
    (
        "UPDATE attempt_costs SET cost_units = cost_units + 7",
        "leg cb2-a1: by its row the attempt costs 100 EUR, and 107 EUR is booked",
    ),
    ("DELETE FROM attempt_costs", f"entry {TRIED} books attempts of callback cb2, of which none is known"),
    (
        "DELETE FROM attempt_costs",
        "leg cb2-a1: by its row the attempt costs 100 EUR, and nothing is booked",
    ),
    (
        f"UPDATE entries SET at = at + 1 WHERE id = '{TRIED}'",
        f"leg cb2-a1: its attempt is in entry {TRIED}, which is of another callback or instant",
    ),
    (
        f"UPDATE entries SET kind = 'charge' WHERE id = '{TRIED}'",
        f"leg cb2-a1: its attempt is in entry {TRIED}, which is of another callback or instant",
    ),
    (
        "UPDATE rates SET attempt_fee = 2000000 WHERE attempt_fee IS NOT NULL",
        "leg cb2-a1: by its row the attempt costs 200 EUR, and 100 EUR is booked",
    ),
    # holds
    (
        "UPDATE holds SET state = 'open', ended_at = NULL",
        "the hold of callback cb1 is open and the callback has ended",
    ),
    (
        "UPDATE holds SET id = 'nobody' WHERE id = 'cb1'",
        "the hold of callback nobody: there is no such callback",
    ),
    (
        "UPDATE holds SET ended_at = NULL",
        "the hold of callback cb1 is posted and its end is not written down",
    ),
    ("UPDATE holds SET posted_units = posted_units + 1", "the hold of callback cb1 is posted with "),
    # what people did
    (
        "UPDATE money_acts SET units = units + 1 WHERE reference = 'bank 1'",
        f"payment.add bank 1 of account acme moved 200001 EUR, its entry {PAID} did not",
    ),
    (
        f"UPDATE entries SET at = at + 1 WHERE id = '{PAID}'",
        f"payment.add bank 1 of account acme moved 200000 EUR, its entry {PAID} did not",
    ),
    (
        f"UPDATE entries SET reference = 'bank 2' WHERE id = '{PAID}'",
        f"payment.add bank 1 of account acme moved 200000 EUR, its entry {PAID} did not",
    ),
    (
        f"DELETE FROM entries WHERE id = '{PAID}'",
        f"payment.add bank 1 of account acme: there is no entry {PAID}",
    ),
    (
        "DELETE FROM money_acts WHERE reference = 'out 1'",
        "entry refund-acme-out 1 is a refund that nobody is known to have made",
    ),
    # other currencies
    ("DELETE FROM conversions", f"entry {WIRED} is in two currencies and no exchange rate is kept with it"),
    (
        "UPDATE conversions SET units = units + 1",
        f"entry {WIRED}: 32701 EUR was converted, and the entry says another amount",
    ),
    (
        "UPDATE conversions SET rate = 120000000",
        f"entry {WIRED}: by 1 EUR = 1.20 USD of 2026-03-01 it is 30000 EUR",
    ),
    # credit notes, disputes, vouchers
    (
        "UPDATE credit_notes SET units = units + 1 WHERE sequence = 1",
        "credit note CN-2026-00001 gives 501 and 0 tax, its entry call_credit-acme-case 8 another amount",
    ),
    (
        "DELETE FROM credit_notes WHERE sequence = 1",
        "entry call_credit-acme-case 8 is a credit note and no document of it is kept",
    ),
    (
        "DELETE FROM credit_notes WHERE sequence = 1",
        "credit notes are numbered up to 2 and there are 1: one is missing",
    ),
    (
        "UPDATE entries SET at = at + 1 WHERE kind = 'call_credit'",
        "credit note CN-2026-00001 came before its callback's invoice, and is not dated, taxed or printed so",
    ),
    (
        "UPDATE entries SET kind = 'credit_note' WHERE kind = 'call_credit'",
        "credit note CN-2026-00001 came before its callback's invoice, and is not dated, taxed or printed so",
    ),
    ("UPDATE credit_notes SET units = 90000", "callback cb1: 180000 was given back and "),
    (
        "DELETE FROM credit_notes WHERE sequence = 2",
        "dispute dispute1 is accepted and its credit note CN-2026-00002 is not there, or is of another leg",
    ),
    (
        "UPDATE disputes SET state = 'open'",
        "dispute dispute1 is open and its credit note CN-2026-00002 is not there, or is of another leg",
    ),
    (
        "UPDATE vouchers SET entry_id = NULL WHERE state = 'redeemed'",
        "voucher summer-00001 is redeemed and its entry None says another amount, account, or is not there",
    ),
    (
        "UPDATE vouchers SET state = 'new' WHERE state = 'redeemed'",
        "voucher summer-00001 is new and its entry voucher-acme-voucher summer-00001 says another amount",
    ),
    (
        "UPDATE vouchers SET entry_id = NULL WHERE state = 'redeemed'",
        "entry voucher-acme-voucher summer-00001 is of a voucher that says nothing of it",
    ),
    ("UPDATE voucher_batches SET units = 90000", "voucher summer-00001 is redeemed and its entry"),
    ("DELETE FROM vouchers WHERE state = 'new'", "voucher batch summer was made of 2 vouchers and has 1"),
    ("UPDATE conversions SET rate = 0", f"entry {WIRED}: its conversion cannot be meant"),
]


@pytest.mark.parametrize(("statement", "named"), CORRUPTIONS, ids=[named[:60] for _, named in CORRUPTIONS])
def test_each_corruption_of_the_books_is_named(books: Database, statement: str, named: str) -> None:
    assert named in faults(books, statement)


def test_a_sum_that_is_moved_between_two_entries_is_named_though_every_balance_fits(books: Database) -> None:
    found = faults(
        books,
        f"UPDATE postings SET units = units + 1 WHERE entry_id = '{PAID}' AND position = 0",
        f"UPDATE postings SET units = units - 1 WHERE entry_id = '{PAID}' AND position = 1",
        f"UPDATE postings SET units = units - 1 WHERE entry_id = '{CHARGE}' AND position = 0",
        f"UPDATE postings SET units = units + 1 WHERE entry_id = '{CHARGE}' AND position = 1",
    )
    assert f"moved 200000 EUR, its entry {PAID} did not" in found
    assert "was taken, its settlement says" in found


def test_of_faults_without_number_a_thousand_are_told(books: Database) -> None:
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) "
    found = faults(books, f"INSERT INTO entries {rows} SELECT 'f' || i, 'rounding', 0, '', '' FROM n")
    assert len(found.splitlines()) == 1_000


def test_the_books_are_whole_again_after_all_that(books: Database) -> None:
    assert faults(books) == ""
