"""What an account may spend: prepaid, post-paid up to a limit, no deposit. Real books, on both engines."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from desk_of_books import Office
from moneyed import Money
from storeworld import CLERK, FRIEND, LIMITS, LONG_AGO, NOW, PHONE, SHARED_DID, rate

from billing.ledger import EntryKind
from calls import events
from calls.admission import AdmissionRefusal, Refused
from calls.callback import Callback
from calls.wishes import Ring
from rating.plan import ALegPolicy
from store import ledger, payments
from store.admissions import admit_ring
from store.customers import account, change_account
from store.database import Database
from store.decks import add_version
from store.settlement import settle
from store.verify import verify


@pytest.fixture
def desk_of(database: Database) -> Iterator[Callable[..., Office]]:
    made: list[Office] = []

    def make(credit_units: int, **terms: object) -> Office:
        made.append(Office(database.url, credit_units, **terms))
        dearer = [rate("44", "0.10"), rate("1", "0.24")]
        made[-1].database.call(
            "deck",
            add_version,
            deck_name="retail",
            new_rates=dearer,
            effective_at=LONG_AGO + timedelta(days=1),
            author=CLERK,
        )
        return made[-1]

    yield make
    for each in made:
        each.database.close()


def ring_again(desk: Office, number: int = 1) -> Callback | Refused:
    ring = Ring(
        trigger_id=f"trigger{number}",
        channel_id=f"channel{number}",
        did_raw=str(SHARED_DID),
        caller_number_raw=str(PHONE),
        caller_name_raw="",
        is_withheld=False,
        is_diverted=False,
        trunk="east",
        ingress_country="GB",
        received_at=NOW + timedelta(hours=number),
    )
    return desk.database.call("ring", admit_ring, ring, callback_id=f"again{number}", limits=LIMITS)


def available(desk: Office) -> int:
    return desk.database.read("available", ledger.available, "acme")


def top_up(desk: Office, amount: str) -> None:
    paid = Money(amount, "EUR")
    desk.database.call("top up", payments.receive, "acme", paid, "card 1", CLERK, kind=EntryKind.TOP_UP)


def talk_to_the_limit(desk: Office) -> int:
    """Dial, and talk as long as is granted; the seconds."""
    desk.answered_and_accepted()
    desk.dial(FRIEND)
    assert desk.now.leg_b is not None
    granted = desk.now.leg_b.talk_seconds_max
    desk.talk(granted)
    desk.hang_up(desk.now.legs[0].id)
    assert desk.database.call("settle", settle, desk.now).waived_units == 0
    return granted


def test_F054_W49_a_prepaid_dollar_is_cut_at_250_s_and_leaves_0(
    desk_of: Callable[..., Office],
) -> None:
    desk = desk_of(0, a_leg_policy=ALegPolicy.FREE)
    owner = desk.database.read("account", account, "acme")
    desk.database.call("prepaid", change_account, replace(owner, kind="prepaid"), CLERK)
    top_up(desk, "1.00")
    assert talk_to_the_limit(desk) == 250
    assert available(desk) == 0
    assert desk.database.read("verify", verify) == ()


def test_F054_a_prepaid_account_with_nothing_calls_nobody_until_it_is_topped_up(
    desk_of: Callable[..., Office],
) -> None:
    desk = desk_of(0)
    desk.take(events.Cancelled(at=desk.wall(), by="web"))
    refused = ring_again(desk)
    assert isinstance(refused, Refused)
    assert refused.reason is AdmissionRefusal.NO_CREDIT
    top_up(desk, "1.00")
    assert isinstance(ring_again(desk, 2), Callback)


def test_F057_at_the_limit_the_next_trigger_is_refused_and_told_why(
    desk_of: Callable[..., Office],
) -> None:
    desk = desk_of(1_0000, a_leg_policy=ALegPolicy.FREE)
    assert talk_to_the_limit(desk) == 250
    assert desk.database.read("standing", ledger.standing, "acme").posted_units == -1_0000
    refused = ring_again(desk)
    assert isinstance(refused, Refused)
    assert refused.reason is AdmissionRefusal.NO_CREDIT
    assert "credit does not cover a call" in refused.sentence


def test_F057_a_payment_lets_the_next_trigger_through(desk_of: Callable[..., Office]) -> None:
    desk = desk_of(1_0000, a_leg_policy=ALegPolicy.FREE)
    talk_to_the_limit(desk)
    top_up(desk, "1.00")
    assert isinstance(ring_again(desk), Callback)


def test_F060_a_new_post_paid_account_without_deposit_calls_at_once(desk_of: Callable[..., Office]) -> None:
    desk = desk_of(1_0000, a_leg_policy=ALegPolicy.FREE)
    assert desk.database.read("standing", ledger.standing, "acme").posted_units == 0
    assert talk_to_the_limit(desk) == 250
