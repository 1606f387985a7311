"""What accounts staff enter counts for the next key and the next ring, while the switch runs on."""

from dataclasses import replace

import pytest
from town import CLERK, D1, Town

from calls.callback import State
from calls.cdr import LegRole
from store import customers, dids
from store.directories import SpeedDialEntry, add_speed_dial
from store.tags import TagRow, add_tag
from values.e164 import E164
from world.scripts import Answers, HangsUp, Keys, Talks, TalksUntilHungUp

pytestmark = pytest.mark.real_asterisk


def test_F132_F064_F073_a_short_code_a_cost_code_and_a_second_trigger_number_count_at_once(
    town: Town,
) -> None:
    sam = town.traveller()
    second = replace(sam, did="+12025559001")

    def enter(connection: object) -> None:
        entry = SpeedDialEntry(
            account_id=sam.account_id, subscriber_id=sam.subscriber_id, code="7", number=E164.parse(D1)
        )
        add_speed_dial(connection, entry, CLERK)  # type: ignore[arg-type]
        tag = TagRow(account_id=sam.account_id, digits="4711", tag="Client Miller", is_rule=False)
        add_tag(connection, tag, CLERK)  # type: ignore[arg-type]
        known = customers.account(connection, sam.account_id)  # type: ignore[arg-type]
        customers.change_account(connection, replace(known, asks_tag=True), CLERK)  # type: ignore[arg-type]
        number = dids.Did(
            number=E164.parse(second.did), kind=dids.PERSONAL, subscriber_id=sam.subscriber_id, country="US"
        )
        dids.add_did(connection, number, CLERK)  # type: ignore[arg-type]

    town.database.call("enter", enter)
    town.world.phone(
        sam.number, Answers(after=0.5), Keys("7#", after=2), Keys("4711#", after=2), TalksUntilHungUp()
    )
    town.world.phone(D1, Answers(after=0.5), Talks(seconds=2), HangsUp())
    town.ring(second)
    callback = town.wait_for_end(sam, seconds=60)
    assert callback.state is State.COMPLETED
    assert callback.origin.did == E164.parse(second.did)
    booked = [(each.cdr.role, str(each.cdr.number), each.tag) for each in town.records_of(sam)]
    assert booked == [(LegRole.A, sam.number, "Client Miller"), (LegRole.B, D1, "Client Miller")]
