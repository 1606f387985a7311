"""A number is proven by a code that a real call speaks, and only then rung."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from town import Town, Traveller

from calls.callback import Callback, Reason, State, callback_id
from calls.limits import Limits
from store import verification
from store.audit import Author
from store.numbers import RegisteredNumber
from store.verification import CodeRefused, OrderedCode
from values.e164 import E164
from values.spokencode import spoken_code
from world.audio import AUDIBLE_DBFS, level_dbfs, read_wav
from world.scripts import Answers, HangsUp, Keys, Records, TalksUntilHungUp, Waits

pytestmark = pytest.mark.real_asterisk


def order(town: Town, traveller: Traveller) -> Callback:
    author = Author(at=datetime.now(UTC), name="clerk")
    made = town.database.call(
        "order",
        verification.order_code,
        E164.parse(traveller.number),
        callback_id=callback_id(f"code{traveller.subscriber_id}"),
        limits=Limits(),
        author=author,
    )
    assert isinstance(made, OrderedCode)
    return made.callback


def tell(town: Town, traveller: Traveller, code: str) -> RegisteredNumber | CodeRefused:
    secret = town.stage.settings.agi.secret.get_secret_value().encode()
    return town.database.call(
        "confirm",
        verification.confirm_number,
        E164.parse(traveller.number),
        code,
        code_of=lambda known: spoken_code(secret, known),
        author=Author(at=datetime.now(UTC), name="clerk"),
    )


def test_F070_F157_a_number_is_rung_once_the_code_of_its_call_was_told(town: Town) -> None:
    sam = town.traveller(verified=False, credit="0")
    town.world.phone(sam.number, Answers(after=0.5), Records(), Keys("1", after=2), TalksUntilHungUp())
    town.ring(sam)
    assert town.callbacks_of(sam) == ()
    made = order(town, sam)
    ended = town.wait_for_end(sam, seconds=60)
    assert (ended.state, ended.reason) == (State.COMPLETED, Reason.CODE_SPOKEN)
    (record,) = town.records_of(sam)
    assert record.charge is not None
    assert record.charge.amount == town.balance_of(sam) == Decimal(0)
    assert record.cost is not None
    assert record.cost > 0
    (call,) = town.world.calls(sam.number)
    assert call.recording is not None
    samples, rate = read_wav(call.recording)
    after_the_key = samples[4 * rate : 8 * rate]
    assert level_dbfs(after_the_key) > AUDIBLE_DBFS
    secret = town.stage.settings.agi.secret.get_secret_value().encode()
    assert isinstance(tell(town, sam, spoken_code(secret, made.id)), RegisteredNumber)


def test_F070_who_presses_no_key_hears_no_code(town: Town) -> None:
    sam = town.traveller(verified=False)
    town.world.phone(sam.number, Answers(after=0.5), Waits(40), HangsUp())
    order(town, sam)
    ended = town.wait_for_end(sam, seconds=60)
    assert (ended.state, ended.reason) == (State.ABANDONED, Reason.NOT_ACCEPTED)
