"""The same call with PostgreSQL as the store: it works as the embedded default does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from throwaway_postgresql import Server, server_binaries
from town import D1, Town, leaves, opened

from calls.callback import State
from demo.stage import Stage
from pbx.installation import Installation
from world.scripts import Answers, HangsUp, Keys, Talks, Waits

pytestmark = [pytest.mark.real_asterisk, pytest.mark.postgres]


@pytest.fixture(scope="module")
def town(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    if server_binaries() is None:
        pytest.skip("no PostgreSQL server binaries (initdb, postgres) on this machine")
    with Server() as server:
        folder: Path = tmp_path_factory.mktemp("postgresql")
        overrides: dict[str, dict[str, Any]] = {
            "switch": {"guard_seconds": 1},
            "database": {"url": server.new_database()},
        }
        stage = Stage(installation, folder, overrides=overrides)
        town = opened(stage)
        with stage:
            yield town
            town.wait_until_quiet()
        town.close()


def test_a_callback_is_made_billed_and_survives_a_kill_on_postgresql(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, Answers(after=1), Keys("0061255500123#", after=1), *leaves(sam))
    town.world.phone(D1, Answers(after=1), Talks(seconds=6), HangsUp())
    town.ring(sam)
    town.wait_for_state(sam, State.TALKING)
    town.stage.kill_switch()
    town.stage.start_switch()
    town.leaves_after(sam)
    assert town.wait_for_end(sam).state is State.COMPLETED
    charged = sum(record.charge.amount for record in town.records_of(sam) if record.charge is not None)
    assert -town.balance_of(sam) == charged > 0
    assert town.world.originations(sam.number) == town.world.originations(D1) == 1


def test_five_requests_at_once_are_five_callbacks_on_postgresql(town: Town) -> None:
    travellers = [town.traveller() for _ in range(5)]
    for each in travellers:
        town.world.phone(each.number, Answers(after=1), Waits(1), HangsUp())
        town.request(each)
    for each in travellers:
        town.wait_for_end(each)
        assert town.world.originations(each.number) == 1
