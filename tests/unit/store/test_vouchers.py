"""Vouchers: each redeemed once, few wrong tries a day, on both engines."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from storeworld import CLERK, NOW

from billing.voucher import RANDOM_BYTES, VoucherRefusal, fingerprint, secret_of
from calls.admission import AccountState
from store import ledger, vouchers
from store.customers import Account, add_account, set_account_state
from store.database import Database
from store.errors import Conflict, Forbidden, Invalid
from store.verify import verify
from store.vouchers import Batch, Redeemed

AUTHOR = replace(CLERK, at=NOW, reason="order 12")
SUMMER = Batch(
    id="summer", currency="EUR", units=10_0000, count=3, expires_at=datetime(2027, 6, 1, tzinfo=UTC)
)
HASHES = [f"{number:064d}" for number in range(3)]  # as good as scrypt's to whoever keeps them


@pytest.fixture
def sold(company: Database) -> Database:
    company.call(
        "other",
        add_account,
        Account(id="other", name="Other", currency="EUR", zone="UTC", plan_name="standard"),
        CLERK,
    )
    company.call("make", vouchers.add_batch, SUMMER, HASHES, AUTHOR)
    return company


def redeem(sold: Database, number: int = 0, account_id: str = "acme", **more: Any) -> Any:
    author = replace(AUTHOR, **more)
    return sold.call("redeem", vouchers.redeem, account_id, f"{number:064d}", author)


def balance(sold: Database, account_id: str = "acme") -> int:
    return sold.read("standing", ledger.standing, account_id).posted_units


def test_F145_a_voucher_is_credited_once(sold: Database) -> None:
    done = redeem(sold)
    assert isinstance(done, Redeemed)
    assert (done.voucher.serial, done.voucher.account_id, done.outcome.is_new) == (
        "summer-00001",
        "acme",
        True,
    )
    assert balance(sold) == 10_0000
    assert redeem(sold, account_id="other") is VoucherRefusal.USED
    assert sold.read("verify", verify) == ()


def test_F145_a_voucher_redeemed_again_by_the_same_account_is_found_and_not_credited(sold: Database) -> None:
    redeem(sold)
    again = redeem(sold)
    assert isinstance(again, Redeemed)
    assert not again.outcome.is_new
    assert balance(sold) == 10_0000


@pytest.mark.parametrize("owners", [("acme", "acme"), ("acme", "other")], ids=["one account", "two accounts"])
def test_F145_a_voucher_redeemed_twice_at_the_same_moment_is_credited_once(
    sold: Database, owners: tuple[str, str]
) -> None:
    for number in range(3):
        start = threading.Barrier(6)
        results: list[Any] = []

        def rush(account_id: str, number: int = number, start: threading.Barrier = start) -> None:
            start.wait()
            results.append(redeem(sold, number, account_id))  # noqa: B023 - joined before the next round

        threads = [threading.Thread(target=rush, args=(owners[each % 2],)) for each in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 6
        assert sum(isinstance(each, Redeemed) and each.outcome.is_new for each in results) == 1
    assert balance(sold, "acme") + balance(sold, "other") == 30_0000
    assert sold.read("verify", verify) == ()


def test_an_unknown_expired_withdrawn_or_foreign_voucher_is_refused_with_the_reason(sold: Database) -> None:
    assert redeem(sold, 9) is VoucherRefusal.UNKNOWN
    assert redeem(sold, 0, at=SUMMER.expires_at) is VoucherRefusal.EXPIRED
    assert isinstance(redeem(sold, 0, at=SUMMER.expires_at - timedelta(microseconds=1)), Redeemed)
    sold.call("void", vouchers.withdraw, "summer-00002", AUTHOR)
    assert redeem(sold, 1) is VoucherRefusal.VOID
    dollars = replace(SUMMER, id="winter", currency="USD", count=1)
    sold.call("make", vouchers.add_batch, dollars, ["x" * 64], AUTHOR)
    assert sold.call("redeem", vouchers.redeem, "acme", "x" * 64, AUTHOR) is VoucherRefusal.OTHER_CURRENCY


def test_after_five_wrong_tries_in_a_day_an_account_is_told_to_wait_also_with_a_good_one(
    sold: Database,
) -> None:
    for _ in range(vouchers.TRIES_MAX):
        assert redeem(sold, 9) is VoucherRefusal.UNKNOWN
    assert redeem(sold) is VoucherRefusal.LOCKED
    assert isinstance(redeem(sold, account_id="other"), Redeemed)
    next_day = NOW + vouchers.TRIES_WITHIN
    assert isinstance(redeem(sold, 1, at=next_day), Redeemed)
    assert balance(sold) == 10_0000


def test_a_wrong_try_is_counted_though_nothing_is_credited(sold: Database) -> None:
    redeem(sold, 9)
    assert len(rows(sold, "voucher_tries")) == 1


def test_a_redeemed_voucher_is_not_withdrawn_and_a_withdrawn_one_is_once(sold: Database) -> None:
    redeem(sold)
    with pytest.raises(Conflict, match="was redeemed by acme"):
        sold.call("void", vouchers.withdraw, "summer-00001", AUTHOR)
    first = sold.call("void", vouchers.withdraw, "summer-00002", AUTHOR)
    assert sold.call("void", vouchers.withdraw, "summer-00002", AUTHOR) == first


def test_a_batch_is_made_once_and_its_name_means_one_batch(sold: Database) -> None:
    assert not sold.call("make", vouchers.add_batch, SUMMER, HASHES, AUTHOR)
    with pytest.raises(Conflict, match="other terms"):
        sold.call("make", vouchers.add_batch, replace(SUMMER, units=20_0000), HASHES, AUTHOR)
    with pytest.raises(Invalid, match="is past"):
        sold.call("make", vouchers.add_batch, replace(SUMMER, id="old", expires_at=NOW), HASHES, AUTHOR)
    assert len(sold.read("list", vouchers.list_vouchers, batch_id="summer", state="new")) == 3


def test_a_closed_account_redeems_nothing(sold: Database) -> None:
    sold.call("close", set_account_state, "acme", AccountState.CLOSED, AUTHOR)
    with pytest.raises(Forbidden, match="closed"):
        redeem(sold)


def test_a_redemption_that_is_broken_off_leaves_the_voucher_new(sold: Database) -> None:
    def redeem_and_die(connection: Connection) -> None:
        vouchers.redeem(connection, "acme", HASHES[0], AUTHOR)
        raise LookupError

    with pytest.raises(LookupError):
        sold.call("die", redeem_and_die)
    assert sold.read("voucher", vouchers.voucher, "summer-00001").state == "new"
    assert isinstance(redeem(sold), Redeemed)


def test_F098_no_secret_stands_in_the_database(sold: Database) -> None:
    secret = secret_of(bytes(range(RANDOM_BYTES)))
    alone = replace(SUMMER, id="alone", count=1)
    sold.call("make", vouchers.add_batch, alone, [fingerprint(secret)], AUTHOR)
    assert isinstance(sold.call("redeem", vouchers.redeem, "acme", fingerprint(secret), AUTHOR), Redeemed)
    tables = ("vouchers", "voucher_batches", "audit_log", "money_acts")
    kept = "".join(str(rows(sold, table)) for table in tables)
    assert secret not in kept
    assert fingerprint(secret) in kept


def rows(sold: Database, table: str) -> list[Any]:
    return sold.read("rows", lambda connection: list(connection.execute(text(f"SELECT * FROM {table}"))))
