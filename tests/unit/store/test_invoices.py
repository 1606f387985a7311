from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from moneyed import Money
from sqlalchemy import Connection, text
from storeworld import CLERK, NOW, callback, play, story

from billing.invoice import build_invoice
from billing.ledger import adjustment_entry, payment_entry
from billing.particulars import Party
from billing.period import month
from calls.cdr import LegRole
from staff.drafts import draft
from store import customers, invoices, ledger
from store.database import Database
from store.verify import count_entries, verify

MARCH = month(2026, 3, "Europe/London")


def test_the_callbacks_of_a_month_become_an_invoice(company: Database) -> None:
    company.call("play", play, callback(), story(callback()))
    facts = company.read("gather", invoices.gather, "acme", MARCH)
    (session,) = facts.sessions
    assert [leg.role for leg in session.legs] == [LegRole.A, LegRole.B]
    assert (session.subscriber, session.requested_at) == ("Anna Example", NOW)
    invoice = build_invoice(
        number="",
        seller=Party(name="Dialback"),
        buyer=facts.month.buyer,
        account_id="acme",
        plan=facts.month.plan,
        period=MARCH,
        issued_on=date(2026, 4, 1),
        due_on=date(2026, 4, 15),
        sessions=facts.sessions,
        previous_owed=facts.month.previous_owed,
        payments=facts.month.payments,
    )
    assert invoice.totals.charges == Decimal("0.2342")


def test_F064_two_subscribers_of_one_name_are_two_lines_that_tell_them_apart(company: Database) -> None:
    namesake = customers.Subscriber(id="anna-2", account_id="acme", name="Anna Example", home_country="GB")
    company.call("namesake", customers.add_subscriber, namesake, CLERK)
    for name, subscriber_id in (("cb1", "anna"), ("cb2", "anna-2"), ("cb3", "anna")):
        made = callback(name, subscriber_id=subscriber_id)
        company.call("play", play, made, story(made))
    final = company.read("draft", draft, "acme", month=(2026, 3), now=NOW, seller=Party(name="Dialback"))
    counted = [(each.label, each.calls) for each in final.by_subscriber]
    assert counted == [("Anna Example (anna)", 2), ("Anna Example (anna-2)", 1)]


def test_a_callback_is_in_the_month_in_which_it_ended_in_the_accounts_zone(company: Database) -> None:
    company.call("play", play, callback(), story(callback()))
    for period, count in (
        (month(2026, 2, "Europe/London"), 0),
        (MARCH, 1),
        (month(2026, 4, "Europe/London"), 0),
    ):
        assert len(company.read("sessions", invoices.rated_sessions, "acme", period)) == count
    assert company.read("sessions", invoices.rated_sessions, "other", MARCH) == ()


def test_what_was_owed_before_and_paid_since_is_gathered(company: Database) -> None:
    def pay(connection: Connection) -> None:
        for name, day, amount in (("p1", 20, "5.00"), ("p2", 10, "2.50")):
            at = datetime(2026, 2 if name == "p1" else 3, day, tzinfo=UTC)
            made = payment_entry(
                id=name, at=at, account_id="acme", reference=f"bank {name}", amount=Money(amount, "EUR")
            )
            ledger.post(connection, made)
        at = datetime(2026, 3, 11, tzinfo=UTC)
        credit = adjustment_entry(
            id="c1", at=at, account_id="acme", reference="case 7", amount=Money("1", "EUR"), reason="Bad line"
        )
        ledger.post(connection, credit)

    company.call("pay", pay)
    facts = company.read("gather", invoices.gather, "acme", MARCH)
    assert facts.month.previous_owed == Decimal("-5.0000")
    assert [(paid.reference, paid.amount) for paid in facts.month.payments] == [
        ("bank p2", Decimal("2.5000")),
        ("Bad line", Decimal("1.0000")),
    ]


def test_the_buyer_is_the_account_with_its_address(company: Database) -> None:
    known = company.read("account", customers.account, "acme")
    changed = replace(known, billing_address="1 High Street\nLondon", tax_id="GB123456789")
    company.call("change", customers.change_account, changed, CLERK)
    buyer = company.read("gather", invoices.gather, "acme", MARCH).month.buyer
    assert (buyer.name, buyer.address, buyer.tax_id) == (
        "Acme Ltd",
        ("1 High Street", "London"),
        "GB123456789",
    )


# verify


def test_sound_books_have_nothing_to_say(company: Database) -> None:
    company.call("play", play, callback(), story(callback()))
    assert company.read("verify", verify) == ()
    assert company.read("count", count_entries) == 1


def tamper(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))


def test_every_tampering_is_named(company: Database) -> None:
    company.call("play", play, callback(), story(callback()))
    for statement, said in (
        ("UPDATE ledger_accounts SET balance_units = 7 WHERE id = 'revenue'", "the balance kept is 7"),
        ("UPDATE holds SET state = 'open'", "hold of callback cb1 is open"),
        ("INSERT INTO entries VALUES ('e9', 'payment', 0, 'x', '')", "entry e9 has no postings"),
        (
            "INSERT INTO postings VALUES ('e9', 0, 'revenue', 'EUR', 5)",
            "entry e9: its EUR postings sum to 5, not to 0",
        ),
    ):
        company.call("tamper", tamper, statement)
        assert any(said in sentence for sentence in company.read("verify", verify)), said
